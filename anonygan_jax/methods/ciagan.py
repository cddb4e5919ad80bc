"""Faces of CIAGAN's numbered identities."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces, MethodError
from anonygan_jax.methods.trained_generator import load_trained
from anonygan_jax.models.ciagan.generator import generator_input
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.config import CIAGAN
from anonygan_jax.models.images import to_float, to_uint8
from anonygan_jax.weights.generator_checkpoint import EMBEDDED_CHECKPOINT


class CiaganMethod:
    """Draws whole faces at the generator's size; see `Replacer`.

    Attributes:
      num_classes: number of identities that the generator draws.
      crop_size: (height, width) of the crops: 128x128 for the official weights,
        whatever the photo's resolution; the result is resized back.

    Source and licence: see `models.ciagan.generator`. Only pixels inside the mask are
    drawn, as in the release.
    """

    name = CIAGAN
    region = PAPER_POLYGON

    def __init__(self, checkpoint: str = EMBEDDED_CHECKPOINT) -> None:
        """Loads the weights.

        Args:
          checkpoint: folder of a run of configs/ciagan.py, of an export, or of official
            weights after `anonygan port`.

        Raises:
          CheckpointError: the folder has no checkpoint of CIAGAN; the package has none.
        """
        config, model, self._variables, step = load_trained(checkpoint, CIAGAN)
        height, width = config["data"]["image_size"]
        self.crop_size: tuple[int, int] | None = (int(height), int(width))
        self.step: int | None = step
        self.num_classes: int = model.num_identities
        self._generator = model.generator()
        self._draw = jax.jit(self._compute, compiler_options=compiler_options())

    def __call__(
        self, faces: Faces, conditions: Int[np.ndarray, " B"]
    ) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with drawn faces; see `Replacer`.

        Args:
          conditions: numbers of the identities to draw.

        Raises:
          MethodError: a number is out of range, a face cannot be drawn, or the
            generator's output is not finite.
        """
        wrong = conditions[(conditions < 0) | (conditions >= self.num_classes)]
        if wrong.size:
            raise MethodError(
                f"there is no person {wrong[0]}: this checkpoint draws 0 to "
                f"{self.num_classes - 1}"
            )
        faces.check()
        drawn = self._draw(faces.images, faces.points_xy, faces.masks, conditions)
        if not bool(jnp.isfinite(drawn).all()):
            raise MethodError("the generator gave numbers that are not finite")
        return np.asarray(to_uint8(2 * drawn - 1))

    def _compute(
        self,
        images: UInt8[jax.Array, "B H W 3"],
        points_xy: Float[jax.Array, "B 68 2"],
        masks: Float[jax.Array, "B H W"],
        numbers: Int[jax.Array, " B"],
    ) -> Float[jax.Array, "B H W 3"]:
        """Sources with drawn faces, in about 0..1."""
        source, mask = (to_float(images) + 1) / 2, masks[..., None]
        inputs = generator_input(source, mask, points_xy)
        identity = jax.nn.one_hot(numbers, self.num_classes)
        output = self._generator.apply(self._variables, inputs, identity, False)
        assert isinstance(output, jax.Array)
        return mask * output + (1 - mask) * source
