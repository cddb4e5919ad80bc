"""Faces as black patches."""

import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces


class Blackout:
    """Sets the masked pixels to black; see `Obfuscator`."""

    name = "blackout"
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None
    step: int | None = None

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with black faces; see `Obfuscator`."""
        return np.where(faces.masks[..., None] > 0, 0, faces.images).astype(np.uint8)
