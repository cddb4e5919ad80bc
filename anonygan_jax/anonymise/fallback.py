"""Pixelation of faces that cannot be replaced, and of regions."""

import numpy as np

from anonygan_jax.faces.face import Face
from anonygan_jax.methods.pixelate import NUM_CELLS, mosaic

MIN_CELL = 2.0  # pixels of a cell's side; one pixel's mean would be that pixel
FACE_MARGIN = 0.3  # of the face's size, added on each side


def pixelate_face(photo: np.ndarray, face: Face) -> None:
    """Pixelates a face in place: the box around detection and landmarks, and a margin.

    Args:
      face: with or without landmarks, inside the photo or not.
    """
    finite = face.points_xy[np.isfinite(face.points_xy).all(-1)]
    corners = np.concatenate([finite, face.box_xyxy.reshape(2, 2)])
    low, high = corners.min(0), corners.max(0)
    margin = FACE_MARGIN * (high - low)
    limit = np.array(photo.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high + margin) + 1, 0, limit).astype(int)
    pixelate_region(photo[top:bottom, left:right], float(max(high - low + 2 * margin)))


def pixelate_region(region: np.ndarray, side: float) -> None:
    """Pixelates uint8 [h, w, 3] in place, in square cells, each of several pixels.

    A region too small for that gets one colour. One pixel stays as it is.

    Args:
      side: longer side of the region, pixels, of which each cell is 1 / NUM_CELLS; also
        of a region that is only partly in the picture.
    """
    if region.size:
        cell = side / NUM_CELLS
        region[:] = mosaic(region, cell if cell >= MIN_CELL else side)
