"""The last check of a result: a detected face whose pixels are as they were."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

SIDE = 64  # pixels of the upright crops that are compared
# Rows and columns of the crop of a detector's box: each eye, and the mouth.
LEFT = slice(18, 37), slice(10, 32)
RIGHT = slice(18, 37), slice(32, 54)
MOUTH = slice(40, 60), slice(17, 47)
# Median difference over the standard deviation of the source's pixels. Blur, pixelation
# and new faces have 0.15 and more in 95% of LFW and YTF; where half is left it is 0.
MIN_CHANGE = 0.06
FLAT = 2.0  # levels of 255, standard deviation of a part that shows nothing
NOT_CHANGED = "the result showed eyes or mouth of the source"


def is_changed(
    source_u8: UInt8[np.ndarray, "H W 3"],
    result_u8: UInt8[np.ndarray, "H W 3"],
    box_xyxy: Float[np.ndarray, "4"],
    roll: float = 0.0,
) -> bool:
    """Returns whether both eyes and mouth of a detected face differ from the source's.

    Args:
      box_xyxy: of a detector, found in the source.
      roll: of the face, radians clockwise.
    """
    matrix = _upright(box_xyxy, roll)
    before, after = (
        cv2.warpAffine(image, matrix, (SIDE, SIDE)).astype(np.float32)
        for image in (source_u8, result_u8)
    )
    whole = np.ones(source_u8.shape[:2], np.uint8)
    inside = cv2.warpAffine(whole, matrix, (SIDE, SIDE)).astype(bool)
    return all(
        _differs(before[part], after[part], inside[part])
        for part in (LEFT, RIGHT, MOUTH)
    )


def _differs(before: np.ndarray, after: np.ndarray, inside: np.ndarray) -> bool:
    """Whether pixels inside the picture differ; True where they show nothing."""
    if not inside.any():
        return True
    old, new = before[inside], after[inside]
    contrast = float(old.std())
    if contrast < FLAT:
        return True
    return bool(np.median(np.abs(new - old).mean(-1)) >= MIN_CHANGE * contrast)


def _upright(box: np.ndarray, roll: float) -> np.ndarray:
    """The map from image to crop, float [2, 3]."""
    scale = SIDE / max(float(max(box[2:4] - box[:2])), 1.0)
    c, s = scale * np.cos(roll), scale * np.sin(roll)
    rotation = np.array([[c, s], [-s, c]])
    centre = (box[:2] + box[2:4]) / 2
    return np.column_stack([rotation, SIDE / 2 - 0.5 - rotation @ centre])
