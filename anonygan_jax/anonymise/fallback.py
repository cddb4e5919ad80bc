"""Pixelating what cannot be replaced: strongly, so that nobody is recognised."""

import cv2
import numpy as np

from anonygan_jax.faces.face import Face

CELLS = 6  # across a covered face
MARGIN = 0.3  # of the face's size, added on each side


def pixelate_face(photo: np.ndarray, face: Face) -> None:
    """Pixelates a face in place, box and landmarks with a margin."""
    finite = face.points_xy[np.isfinite(face.points_xy).all(-1)]
    corners = np.concatenate([finite, face.box_xyxy.reshape(2, 2)])
    low, high = corners.min(0), corners.max(0)
    margin = MARGIN * (high - low)
    limit = np.array(photo.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high + margin) + 1, 0, limit).astype(int)
    pixelate(photo[top:bottom, left:right])


def pixelate(region: np.ndarray) -> None:
    """Pixelates uint8 [h, w, 3] in place."""
    if region.size:
        rows = max(1, round(CELLS * region.shape[0] / region.shape[1]))
        cells = cv2.resize(region, (CELLS, rows), interpolation=cv2.INTER_AREA)
        size = (region.shape[1], region.shape[0])
        region[:] = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)
