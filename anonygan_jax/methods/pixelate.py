"""Faces as mosaics."""

import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces

# Across a face, here and in `anonymise.fallback`. dlib then finds as many faces of LFW
# as in the published row, 1% (measured: 3% at 8).
NUM_CELLS = 6


class Pixelate:
    """Mosaic of square cells in proportion to the face's width; see `Obfuscator`.

    Attributes:
      num_cells: cells across the distance between points 0 and 16.
    """

    name = "pixelate"
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None
    step: int | None = None

    def __init__(self, num_cells: int = NUM_CELLS) -> None:
        if num_cells <= 0:
            raise ValueError(f"num_cells is {num_cells}, wanted a positive number")
        self.num_cells = num_cells

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with pixelated faces; see `Obfuscator`."""
        faces.check()
        widths = np.linalg.norm(faces.points_xy[:, 16] - faces.points_xy[:, 0], axis=-1)
        sides = (widths / self.num_cells).tolist()
        mosaics = [mosaic(*pair) for pair in zip(faces.images, sides, strict=True)]
        return np.where(faces.masks[..., None] > 0, np.stack(mosaics), faces.images)


def mosaic(
    image: UInt8[np.ndarray, "H W 3"], side: float
) -> UInt8[np.ndarray, "H W 3"]:
    """Returns an image in which each pixel is the mean of its square cell.

    Args:
      side: of the cells in pixels, from the top left corner; at least 1 is taken. A
        single last row or column of pixels belongs to the cell before it.
    """
    rows, columns = (_cells(length, max(side, 1.0)) for length in image.shape[:2])
    sums = np.add.reduceat(image.astype(float), _starts(rows), axis=0)
    sums = np.add.reduceat(sums, _starts(columns), axis=1)
    counts = np.outer(np.bincount(rows), np.bincount(columns))
    means = np.rint(sums / counts[..., None]).astype(np.uint8)
    return means[rows][:, columns]


def _cells(length: int, side: float) -> np.ndarray:
    """The cell of each pixel along an axis."""
    cells = (np.arange(length) / side).astype(int)
    if length > 1:
        cells[-1] = cells[-2]
    return cells


def _starts(cells: np.ndarray) -> np.ndarray:
    """The first pixel of each cell along an axis."""
    return np.flatnonzero(np.diff(cells, prepend=-1))
