"""Faces drawn by the paper's generator into the masked sources."""

import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Conditions, Faces
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.models.images import to_float, to_uint8
from anonygan_jax.models.names import ANONYGAN


class AnonyGANMethod:
    """Draws whole faces at the generator's size; see `Replacer`."""

    name = ANONYGAN
    region = PAPER_POLYGON
    num_classes: int | None = None

    def __init__(self, generator: TrainedGenerator) -> None:
        self.generator = generator
        self.crop_size: tuple[int, int] | None = generator.size
        self.step: int | None = generator.step

    def __call__(
        self, faces: Faces, conditions: Conditions
    ) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with drawn faces; see `Replacer`."""
        faces.check()
        masked_source = to_float(faces.images) * (1 - faces.masks[..., None])
        output = self.generator(conditions, masked_source, faces.points_xy)
        return to_uint8(output)
