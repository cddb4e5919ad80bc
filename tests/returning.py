"""A method that hides nothing, or too much, for tests of who verifies it."""

import cv2
import numpy as np

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods import Faces


class Returning:
    """A method that gives back sources or conditions untouched."""

    uses_conditions = True
    region = PAPER_POLYGON
    crop_size = (220, 180)

    def __init__(self, what: str) -> None:
        self.name = f"returning {what}"
        self.what, self.calls = what, 0

    def __call__(self, faces: Faces, conditions: Faces | None) -> np.ndarray:
        self.calls += 1
        if self.what == "source":
            return faces.images
        assert conditions is not None
        return np.stack([cv2.resize(i, (180, 220)) for i in conditions.images])
