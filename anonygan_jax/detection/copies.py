"""Reduced and turned copies of a picture, and boxes back in the picture."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8


def reduced(
    image_u8: UInt8[np.ndarray, "H W 3"], side: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Returns a copy whose longer side has `side` pixels; a smaller picture itself."""
    scale = side / max(image_u8.shape[:2])
    if scale >= 1:
        return image_u8
    height, width = (max(1, round(n * scale)) for n in image_u8.shape[:2])
    return cv2.resize(image_u8, (width, height), interpolation=cv2.INTER_AREA)


def doubled(image_u8: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "h w 3"]:
    """Returns a copy of twice the height and width."""
    return cv2.resize(image_u8, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)


def turned(
    image_u8: UInt8[np.ndarray, "H W 3"], turns: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Returns the copy in which faces with so many quarter turns, clockwise, stand."""
    return np.ascontiguousarray(np.rot90(image_u8, turns))


def turned_back(
    boxes: Float[np.ndarray, "N 6"], turns: int, size: tuple[int, ...]
) -> Float[np.ndarray, "N 6"]:
    """Returns boxes of `turned(image_u8, turns)` as boxes of the picture.

    Args:
      size: of the picture, height and width first.
    """
    height, width = size[:2]
    left, top, right, bottom, score, roll = np.asarray(boxes, np.float64).T
    corners = [
        (left, top, right, bottom),
        (width - bottom, left, width - top, right),
        (width - right, height - bottom, width - left, height - top),
        (top, height - right, bottom, height - left),
    ][turns % 4]
    roll = np.angle(np.exp(1j * (roll + turns * np.pi / 2)))
    return np.stack([*corners, score, roll], -1).astype(np.float32)
