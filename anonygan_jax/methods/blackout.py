"""The face as a black patch."""

import numpy as np

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces, NewFaces


class Blackout:
    """Sets the masked pixels to black."""

    name = "blackout"
    uses_conditions = False
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None

    def __call__(self, faces: Faces, conditions: NewFaces = None) -> np.ndarray:
        """Returns the crops blacked out; see `Method`."""
        return np.where(faces.masks[..., None] > 0, 0, faces.images).astype(np.uint8)
