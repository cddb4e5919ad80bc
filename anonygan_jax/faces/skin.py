"""Where the skin of a face is, and its colour."""

import cv2
import numpy as np

from anonygan_jax.faces.face import JAW, LEFT_EYE, RIGHT_EYE

SKIN_SPREAD = 2.0  # deviations from the skin's colour that still count as skin,
LEAST_SPREAD = np.array([50.0, 8.0, 8.0])  # at least these, of L (0..255), a, b
UNLIKE = 0.1  # likeness to skin under which a colour is none

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


def skin_probability(image: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Returns how well each pixel's colour fits a face's, float32 [H, W], 0 to 0.9.

    Args:
      image: uint8 [H, W, 3].
      face: uint8 [N, 3], pixels of the face, most of which are skin.
    """
    median, spread = median_and_mad(cv2.cvtColor(face[None], cv2.COLOR_RGB2LAB)[0])
    allowed = np.maximum(SKIN_SPREAD * spread, LEAST_SPREAD)
    away = (cv2.cvtColor(image, cv2.COLOR_RGB2LAB) - median) / allowed
    likeness = np.exp(-np.square(away).sum(-1) / 2) - UNLIKE
    return np.maximum(likeness, 0).astype(np.float32)


def median_and_mad(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns median and median absolute deviation of each channel, the latter above 0.

    Args:
      values: [N, C].
    """
    median = np.median(values, axis=0)
    spread = np.median(np.abs(values - median), axis=0)
    return median, np.maximum(spread, 1e-3)
