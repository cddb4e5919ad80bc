"""Skin of a face: its pixels and its colour."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from anonygan_jax.faces.face import JAW, LEFT_EYE, RIGHT_EYE

SKIN_SPREAD = 2.0  # deviations from the skin's colour that still count as skin,
LEAST_SPREAD = np.array([50.0, 8.0, 8.0])  # at least these, of L (0..255), a, b
LEVELS = np.arange(256.0)
MIN_LIKELIHOOD = 0.1  # of skin; a colour below it has probability 0

_SKIN_CONTOUR = (*JAW, *range(26, 16, -1))
_FEATURES = (LEFT_EYE, RIGHT_EYE, range(17, 22), range(22, 27), range(48, 60))


def skin_mask(
    points_xy: Float[np.ndarray, "68 2"], size: tuple[int, ...]
) -> Bool[np.ndarray, "H W"]:
    """Returns bool [H, W]: inside jaw and brows, without eyes, brows and lips.

    Args:
      points_xy: float [68, 2], pixels; may be outside the image.
      size: (height, width).
    """
    corners = np.rint(points_xy).astype(np.int32)
    skin = np.zeros(size[:2], np.uint8)
    cv2.fillPoly(skin, [corners[list(_SKIN_CONTOUR)]], 1)
    features = np.zeros(size[:2], np.uint8)
    for part in _FEATURES:
        cv2.fillConvexPoly(features, cv2.convexHull(corners[list(part)]), 1)
    return (skin > 0) & (cv2.dilate(features, np.ones((3, 3), np.uint8)) == 0)


def to_lab(image_u8: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "H W 3"]:
    """Returns CIE Lab, float32, L 0..100, of uint8 RGB."""
    return cv2.cvtColor(image_u8.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def skin_colour(
    image_u8: UInt8[np.ndarray, "H W 3"], points_xy: Float[np.ndarray, "68 2"]
) -> Float[np.ndarray, "3"]:
    """Returns the skin's median colour in Lab, float32 [3]; NaN without a skin pixel.

    Args:
      image_u8: uint8 [H, W, 3] RGB.
    """
    skin = image_u8[skin_mask(points_xy, image_u8.shape)]
    if not len(skin):
        return np.full(3, np.nan, np.float32)
    return np.median(to_lab(skin[None])[0], axis=0)


def skin_probability(
    image: UInt8[np.ndarray, "H W 3"], face: UInt8[np.ndarray, "P 3"]
) -> Float[np.ndarray, "H W"]:
    """Returns the likelihood of each pixel's colour as skin, float32 [H, W], 0 to 0.9.

    Args:
      face: uint8 [P, 3], pixels of the face, most of which are skin.

    Source: ours.
    """
    median, spread = median_and_mad(cv2.cvtColor(face[None], cv2.COLOR_RGB2LAB)[0])
    allowed = np.maximum(SKIN_SPREAD * spread, LEAST_SPREAD)
    away = (cv2.cvtColor(image, cv2.COLOR_RGB2LAB) - median) / allowed
    likelihood = np.exp(-np.square(away).sum(-1) / 2) - MIN_LIKELIHOOD
    return np.maximum(likelihood, 0).astype(np.float32)


def median_and_mad(
    values: UInt8[np.ndarray, "P C"],
) -> tuple[Float[np.ndarray, " C"], Float[np.ndarray, " C"]]:
    """Returns median and median absolute deviation (above 0) of each channel.

    By counts of the 256 levels, in a tenth of the time of `np.median`.
    """
    counts = [np.bincount(channel, minlength=256) for channel in values.T]
    median = np.array([_median(LEVELS, count) for count in counts])
    spread = [_median(abs(LEVELS - m), n) for m, n in zip(median, counts, strict=True)]
    return median, np.maximum(spread, 1e-3)


def _median(values: np.ndarray, counts: np.ndarray) -> float:
    """The median of values that occur several times."""
    order = np.argsort(values, kind="stable")
    total = counts[order].cumsum()
    middle = np.searchsorted(total, [(total[-1] - 1) // 2, total[-1] // 2], "right")
    return float(values[order][middle].mean())
