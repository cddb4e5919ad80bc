"""Pictures in rows on one sheet."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

LABEL_HEIGHT, FONT_SIZE = 20, 12  # pixels
LABEL_MARGIN = (4, 3)  # pixels left of and above a label
GREY = 200  # of cells that a picture does not fill


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray | None]],
    cell: tuple[int, int],
    gap: int = 0,
    labels: Sequence[Sequence[str]] = (),
) -> np.ndarray:
    """Returns one picture of pictures in rows, uint8 [H, W, 3].

    Args:
      rows: uint8 [h, w, 3] pictures; None leaves a cell grey. A row may be shorter than
        the longest.
      cell: (height, width) of a picture's place, in pixels. Pictures of another size
        are resized, with their aspect ratio kept.
      gap: white pixels around each cell.
      labels: of the pictures of the first rows, above them; a row without labels has no
        place for them.
    """
    height, width = cell[0] + gap, cell[1] + gap
    num_columns, num_labelled = max(map(len, rows)), sum(map(bool, labels))
    shape = (len(rows) * height + num_labelled * LABEL_HEIGHT, num_columns * width)
    sheet = Image.new("RGB", (shape[1] + gap, shape[0] + gap), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    top = gap
    for row, texts in itertools.zip_longest(rows, labels, fillvalue=()):
        for column, text in enumerate(texts):
            left = gap + column * width
            place = (left + LABEL_MARGIN[0], top + LABEL_MARGIN[1])
            draw.text(place, text, "black", font)
        top += LABEL_HEIGHT if texts else 0
        for column, picture in enumerate(row):
            fitted = Image.fromarray(_fitted(picture, cell))
            sheet.paste(fitted, (gap + column * width, top))
        top += height
    return np.asarray(sheet)


def _fitted(picture: np.ndarray | None, cell: tuple[int, int]) -> np.ndarray:
    """A picture in the middle of a grey cell, as large as it fits."""
    fitted = np.full((*cell, 3), GREY, np.uint8)
    if picture is None:
        return fitted
    scale = min(cell[0] / picture.shape[0], cell[1] / picture.shape[1])
    height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (cell[0] - height) // 2, (cell[1] - width) // 2
    fitted[top : top + height, left : left + width] = small
    return fitted
