"""Where the skin of a face is, and its colour."""

import cv2
import numpy as np

from anonygan_jax.data.landmarks import JAW, LEFT_EYE, RIGHT_EYE

_OUTLINE = (*JAW, *range(26, 16, -1))
_FEATURES = (LEFT_EYE, RIGHT_EYE, range(17, 22), range(22, 27), range(48, 60))


def skin_mask(points_xy: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Returns bool [H, W]: inside jaw and brows, without eyes, brows and lips.

    Args:
      points_xy: float [68, 2], pixels; may lie outside the picture.
      size: (height, width).
    """
    corners = np.rint(points_xy).astype(np.int32)
    skin = np.zeros(size[:2], np.uint8)
    cv2.fillPoly(skin, [corners[list(_OUTLINE)]], 1)
    features = np.zeros(size[:2], np.uint8)
    for part in _FEATURES:
        cv2.fillConvexPoly(features, cv2.convexHull(corners[list(part)]), 1)
    return (skin > 0) & (cv2.dilate(features, np.ones((3, 3), np.uint8)) == 0)


def to_lab(image_u8: np.ndarray) -> np.ndarray:
    """Returns CIE Lab, float32, L 0..100, of uint8 RGB."""
    return cv2.cvtColor(image_u8.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def skin_colour(image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns the skin's median colour in Lab, float32 [3]; NaN where none is seen."""
    skin = image_u8[skin_mask(points_xy, image_u8.shape)]
    if not len(skin):
        return np.full(3, np.nan, np.float32)
    return np.median(to_lab(skin[None])[0], axis=0)
