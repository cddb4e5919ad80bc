"""The face drawn by the paper's generator into the hole that the source's left."""

import jax.numpy as jnp
import numpy as np

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces, MethodError, NewFaces
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.models.config import ANONYGAN
from anonygan_jax.models.images import to_float, to_uint8


class AnonyGANMethod:
    """Draws the whole face at the size that the generator was trained at.

    Attributes:
      crop_size: (height, width) of the crops it takes.
      step: the training step of the weights.
    """

    name = ANONYGAN
    uses_conditions = True
    region = PAPER_POLYGON

    def __init__(self, generator: TrainedGenerator) -> None:
        self._generator = generator
        self.crop_size: tuple[int, int] | None = generator.size
        self.step = generator.step

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with drawn faces; see `Method`.

        Raises:
          MethodError: conditions are missing, a face cannot be drawn, or the output is
            not finite.
        """
        if not isinstance(conditions, Faces):
            raise MethodError("anonygan needs a condition for each face")
        faces.check()
        masked_source = to_float(jnp.asarray(faces.images)) * (
            1 - faces.masks[..., None]
        )
        output = self._generator(conditions, masked_source, faces.points_xy)
        return np.asarray(to_uint8(jnp.asarray(output)))
