"""Faces of CIAGAN's numbered identities."""

import numpy as np
from jaxtyping import Int, UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.loaded_generator import load_trained
from anonygan_jax.methods.method import Faces, MethodError
from anonygan_jax.models.images import to_float, to_uint8
from anonygan_jax.models.names import CIAGAN
from anonygan_jax.weights.checkpoint_folder import EMBEDDED_CHECKPOINT


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
        loaded = load_trained(checkpoint, CIAGAN)
        self.crop_size: tuple[int, int] | None = loaded.size
        self.step: int | None = loaded.step
        self.num_classes: int = loaded.config["model"]["num_identities"]
        self._draw = loaded.draw

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
        drawn = self._draw(
            (to_float(faces.images) + 1) / 2,
            faces.masks[..., None],
            faces.points_xy,
            np.eye(self.num_classes, dtype=np.float32)[conditions],
        )
        if not np.isfinite(drawn).all():
            raise MethodError("the generator gave numbers that are not finite")
        return to_uint8(2 * drawn - 1)
