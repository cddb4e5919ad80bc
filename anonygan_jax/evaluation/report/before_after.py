"""Sheet of originals beside the results of each method."""

import pathlib

import numpy as np
from PIL import Image

from anonygan_jax.io.contact_sheet import contact_sheet
from anonygan_jax.io.photos import PhotoError, read_photo

NUM_PHOTOS = 12
CELL = (160, 160)  # height, width in pixels
MAX_TITLE = 24  # characters above a column


def write_before_after(
    columns: dict[str, dict[str, pathlib.Path]], path: pathlib.Path
) -> None:
    """Writes a sheet of 12 photos or fewer, spread evenly over the sorted names.

    Args:
      columns: title -> name -> photo; the originals first. A photo that is missing or
        cannot be decoded leaves its cell grey.
    """
    names = sorted(next(iter(columns.values())))
    chosen = names[:: max(1, len(names) // NUM_PHOTOS)][:NUM_PHOTOS]
    rows = [[_photo(photos.get(n)) for photos in columns.values()] for n in chosen]
    titles = [title[:MAX_TITLE] for title in columns]
    sheet = contact_sheet(rows, CELL, labels=[titles])
    Image.fromarray(sheet).save(path, quality=92)


def _photo(path: pathlib.Path | None) -> np.ndarray | None:
    """A decoded photo; the report gives the reason where there is none."""
    try:
        return None if path is None else read_photo(path)
    except PhotoError:
        return None
