"""The face of a numbered person drawn by CIAGAN."""

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces, MethodError, NewFaces
from anonygan_jax.methods.trained_generator import EMBEDDED, load_trained
from anonygan_jax.models.ciagan.generator import generator_input
from anonygan_jax.models.config import CIAGAN
from anonygan_jax.models.images import to_float, to_uint8


class CiaganMethod:
    """Draws whole faces at the size that the generator was trained at.

    Attributes:
      num_people: conditions are numbers from 0 to this - 1.
      crop_size: (height, width) of the crops it takes: 128x128 for official weights,
        whatever the photo's; results are resized back.
      step: the training step of the weights.

    Source and licence: see `models.ciagan`. Only the inside of the mask is drawn; the
    release pastes the same way.
    """

    name = CIAGAN
    uses_conditions = True
    region = PAPER_POLYGON

    def __init__(self, checkpoint: str = EMBEDDED) -> None:
        """Loads the weights.

        Args:
          checkpoint: folder of a run of configs/ciagan.py, of an export, or of official
            weights after `anonygan port`.

        Raises:
          CheckpointError: there is no checkpoint of CIAGAN; none is in the package.
        """
        config, model, self._variables, self.step = load_trained(checkpoint, CIAGAN)
        height, width = config["data"]["image_size"]
        self.crop_size: tuple[int, int] | None = (int(height), int(width))
        self.num_people: int = model.num_identities
        self._generator = model.generator()
        self._draw = jax.jit(self._compute)

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with drawn faces; see `Method`.

        Args:
          faces: the sources.
          conditions: int [B], whose faces are drawn.

        Raises:
          MethodError: there is no such person, a face cannot be drawn, or the output is
            not finite.
        """
        if not isinstance(conditions, np.ndarray):
            raise MethodError("ciagan needs the number of a person for each face")
        wrong = conditions[(conditions < 0) | (conditions >= self.num_people)]
        if wrong.size:
            raise MethodError(
                f"there is no person {wrong[0]}: this checkpoint draws 0 to "
                f"{self.num_people - 1}"
            )
        faces.check()
        drawn = self._draw(faces.images, faces.points_xy, faces.masks, conditions)
        if not bool(jnp.isfinite(drawn).all()):
            raise MethodError("the generator gave numbers that are not finite")
        return np.asarray(to_uint8(2 * drawn - 1))

    def _compute(
        self,
        images: jax.Array,
        points_xy: jax.Array,
        masks: jax.Array,
        people: jax.Array,
    ) -> jax.Array:
        """Sources with drawn faces, float32 in about 0..1."""
        source, mask = (to_float(images) + 1) / 2, masks[..., None]
        given = generator_input(source, mask, points_xy)
        person = jax.nn.one_hot(people, self.num_people)
        output = self._generator.apply(self._variables, given, person, False)
        assert isinstance(output, jax.Array)
        return mask * output + (1 - mask) * source
