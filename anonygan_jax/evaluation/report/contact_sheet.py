"""Originals and results side by side, to look at."""

import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from anonygan_jax.io.photos import PhotoError, read_photo

NUM_PHOTOS = 12
CELL = 160  # pixels, the longer side of a picture
LABEL = 20


def contact_sheet(
    columns: dict[str, dict[str, pathlib.Path]], path: pathlib.Path
) -> None:
    """Writes a sheet of photos spread evenly over the names.

    Args:
      columns: title -> name -> photo; the first has the originals. Where a photo is
        missing or cannot be read the cell stays grey.
      path: a picture file.
    """
    names = sorted(next(iter(columns.values())))
    chosen = names[:: max(1, len(names) // NUM_PHOTOS)][:NUM_PHOTOS]
    size = (CELL * len(columns), LABEL + CELL * len(chosen))
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for column, (title, photos) in enumerate(columns.items()):
        draw.text((CELL * column + 4, 3), title[:24], "black", font)
        for row, name in enumerate(chosen):
            cell = Image.fromarray(_cell(photos.get(name)))
            sheet.paste(cell, (CELL * column, LABEL + CELL * row))
    sheet.save(path, quality=92)


def _cell(path: pathlib.Path | None) -> np.ndarray:
    """A photo fitted into a grey square."""
    square = np.full((CELL, CELL, 3), 200, np.uint8)
    try:
        if path is None:
            return square
        photo = read_photo(path)
    except PhotoError:
        return square  # its reason is in the report
    scale = CELL / max(photo.shape[:2])
    height, width = (max(1, round(n * scale)) for n in photo.shape[:2])
    small = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (CELL - height) // 2, (CELL - width) // 2
    square[top : top + height, left : left + width] = small
    return square
