"""Faces blurred."""

import math

import cv2
import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces

# Of the face's width. dlib then finds about as many faces of LFW as in the published
# row, 4% (measured: 17% at 0.12, 2.5% at 0.16, 0.5% at 0.2).
SIGMA = 0.15
TRUNCATE = 3.0  # standard deviations


class Blur:
    """Gaussian blur in proportion to the face's width; see `Obfuscator`.

    Attributes:
      sigma: standard deviation as a share of the distance between points 0 and 16.
    """

    name = "blur"
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None
    step: int | None = None

    def __init__(self, sigma: float = SIGMA) -> None:
        if sigma <= 0:
            raise ValueError(f"sigma is {sigma}, wanted a positive share")
        self.sigma = sigma

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with blurred faces; see `Obfuscator`."""
        faces.check()
        widths = np.linalg.norm(faces.points_xy[:, 16] - faces.points_xy[:, 0], axis=-1)
        blurred = [
            _blur(image, mask > 0, self.sigma * float(width))
            for image, mask, width in zip(
                faces.images, faces.masks, widths, strict=True
            )
        ]
        return np.stack(blurred)


def _blur(
    image: UInt8[np.ndarray, "H W 3"], inside: np.ndarray, sigma: float
) -> UInt8[np.ndarray, "H W 3"]:
    """The image blurred inside the mask; borders count nothing."""
    side = 2 * math.floor(TRUNCATE * sigma) + 1
    rows, columns = (np.nonzero(inside.any(axis))[0] for axis in (1, 0))
    box = tuple(
        slice(max(int(places[0]) - side, 0), int(places[-1]) + 1 + side)
        for places in (rows, columns)
    )
    part = image[box].astype(np.float32)
    total, weight = (
        cv2.GaussianBlur(x, (side, side), sigma, borderType=cv2.BORDER_CONSTANT)
        for x in (part, np.ones(part.shape[:2], np.float32))
    )
    result = image.copy()
    blurred = np.rint(total / weight[..., None]).astype(np.uint8)
    result[box][inside[box]] = blurred[inside[box]]
    return result
