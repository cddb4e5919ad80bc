"""Pictures of both eyes of a face, as MediaPipe's iris network takes them."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.face_mesh import eye_frame
from anonygan_jax.faces.alignment import crop_photo

SIDE = 64  # pixels of a picture
# Outer and inner corner of each eye, the left in the picture first.
EYES = ((36, 39), (45, 42))
# Side, and shift of the centre to the inner corner and down, of each window; in widths
# of the eye. The first is MediaPipe's; the mean over five takes a third of the
# noise away, which is from landmarks that move (docs/RESULTS.md, "Gaze").
WINDOWS = np.array(
    [
        [2.3, 0.0, 0.0],
        [2.0, 0.1, 0.0],
        [2.0, -0.1, 0.0],
        [2.6, 0.0, 0.1],
        [2.6, 0.0, -0.1],
    ]
)


def eye_windows(
    image_u8: UInt8[np.ndarray, "H W 3"], points_xy: Float[np.ndarray, "68 2"]
) -> UInt8[np.ndarray, "2 5 64 64 3"]:
    """Returns the windows of both eyes, uint8 [2, 5, 64, 64, 3].

    The eyes are level. The right one is mirrored, as the network knows left ones alone:
    in both the inner corner is on the right.

    Args:
      image_u8: uint8 [H, W, 3] RGB.
      points_xy: float [68, 2], pixels.
    """
    return np.stack(
        [
            np.stack(
                [crop_photo(image_u8, m, (SIDE, SIDE), cv2.BORDER_REPLICATE) for m in e]
            )
            for e in window_transforms(points_xy)
        ]
    )


def window_transforms(
    points_xy: Float[np.ndarray, "68 2"],
) -> Float[np.ndarray, "2 5 2 3"]:
    """Returns the maps from the photo to the windows, float64 [2, 5, 2, 3]."""
    upright, _, _ = eye_frame(points_xy)
    maps = []
    for (outer, inner), mirror in zip(EYES, (1, -1), strict=True):
        frame = np.diag([mirror, 1]) @ upright
        middle = frame @ (points_xy[outer] + points_xy[inner]) / 2
        width = max(float(np.linalg.norm(points_xy[outer] - points_xy[inner])), 1.0)
        for side, *shift in WINDOWS:
            scale = SIDE / (side * width)
            corner = scale * (middle + width * np.array(shift)) - (SIDE - 1) / 2
            maps.append(np.column_stack([scale * frame, -corner]))
    return np.stack(maps).reshape(2, len(WINDOWS), 2, 3)


def in_eye_widths(points: Float[np.ndarray, "2 5 K 2"]) -> Float[np.ndarray, "2 5 K 2"]:
    """Returns points of windows in widths of the eye, from its middle.

    Args:
      points: float [2, 5, K, 2], pixels of the windows, as the network counts them:
        from the corner of the first pixel.
    """
    side, shift = WINDOWS[:, None, :1], WINDOWS[:, None, 1:]
    return (points / SIDE - 0.5) * side + shift
