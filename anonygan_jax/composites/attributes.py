"""What conditions are chosen by: pose, expression and skin as numbers."""

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
# Differences that count alike: degrees, shares, Lab.
SCALES = np.array([15.0, 15.0, 0.08, 0.1, 15.0, 8.0, 8.0], np.float32)


def attributes(image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns float32 [7], the traits of a face in the order of ATTRIBUTES.

    Args:
      image_u8: uint8 [H, W, 3] RGB.
      points_xy: float [68, 2].
    """
    yaw, pitch, _ = head_angles(points_xy)
    mouth = (mouth_openness(points_xy), mouth_width(points_xy))
    return np.array([yaw, pitch, *mouth, *skin_colour(image_u8, points_xy)], np.float32)


def attribute_distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Returns how differently faces look, float [...]; unknown traits count nothing."""
    return np.nansum(np.abs(ours - theirs) / SCALES, axis=-1)
