"""Attributes by which conditions are selected: pose, expression and skin."""

import numpy as np

from anonygan_jax.faces.expression import mouth_openness, mouth_width
from anonygan_jax.faces.head_pose import head_angles
from anonygan_jax.faces.skin import skin_colour

ATTRIBUTES = (
    "yaw",
    "pitch",
    "mouth_openness",
    "mouth_width",
    "skin_l",
    "skin_a",
    "skin_b",
)
# Differences of equal cost: degrees, shares of the face's size, Lab.
SCALES = np.array([15.0, 15.0, 0.08, 0.1, 15.0, 8.0, 8.0], np.float32)


def attributes(image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns the attributes of a face, float32 [7] in the order of ATTRIBUTES.

    Args:
      image_u8: uint8 [H, W, 3] RGB.
      points_xy: float [68, 2], landmarks in pixels.
    """
    yaw, pitch, _ = head_angles(points_xy)
    mouth = (mouth_openness(points_xy), mouth_width(points_xy))
    return np.array([yaw, pitch, *mouth, *skin_colour(image_u8, points_xy)], np.float32)


def attribute_distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Returns the sum of scaled differences, float [...]; NaN counts as 0."""
    return np.nansum(np.abs(ours - theirs) / SCALES, axis=-1)
