"""Replacers that return sources or conditions, for tests of the verification."""

import cv2
import numpy as np

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Conditions, Faces


class Returning:
    """A replacer that returns sources or conditions unchanged.

    Attributes:
      calls: counted.
    """

    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = (220, 180)
    step: int | None = None
    num_classes: int | None = None

    def __init__(self, what: str) -> None:
        self.name = f"returning {what}"
        self.what, self.calls = what, 0

    def __call__(self, faces: Faces, conditions: Conditions) -> np.ndarray:
        self.calls += 1
        if self.what == "source":
            return faces.images
        return np.stack([cv2.resize(i, (180, 220)) for i in conditions.images])
