"""Generators of AnonyGAN, loaded to draw faces."""

import numpy as np
from jaxtyping import Float

from anonygan_jax.faces.alignment import reframe
from anonygan_jax.methods.loaded_generator import load_trained, uses_warped_condition
from anonygan_jax.methods.method import Conditions, MethodError
from anonygan_jax.models.images import to_float
from anonygan_jax.models.names import ANONYGAN
from anonygan_jax.weights.checkpoint_folder import EMBEDDED_CHECKPOINT


class TrainedGenerator:
    """The newest averaged generator of a run of AnonyGAN.

    Attributes:
      size: (height, width) of the images that it draws.
      zoom: of the window of CelebA's frame; see `alignment.window_transform`.
      uses_warped_condition: whether it improves a warped face instead of filling a
        hole.
      step: training step of the weights.
      draw: see `LoadedGenerator`.
    """

    def __init__(self, checkpoint: str = EMBEDDED_CHECKPOINT) -> None:
        """Loads the weights.

        Raises:
          CheckpointError: the folder has no checkpoint of AnonyGAN.
        """
        loaded = load_trained(checkpoint, ANONYGAN)
        self.size, self.step, self.draw = loaded.size, loaded.step, loaded.draw
        self.zoom = float(loaded.config["data"].get("zoom", 1.0))  # older runs: none
        self.uses_warped_condition = uses_warped_condition(loaded.config)

    def __call__(
        self,
        conditions: Conditions,
        masked_source: Float[np.ndarray, "B H W 3"],
        points_xy: Float[np.ndarray, "B 68 2"],
        warped_condition: Float[np.ndarray, "B H W 3"] | None = None,
    ) -> Float[np.ndarray, "B H W 3"]:
        """Returns drawn faces, float32 in [-1, 1].

        Args:
          masked_source: float32 in [-1, 1], the sources with their faces set to 0.
          warped_condition: float32 in [-1, 1], the sources with warped faces; None
            unless `uses_warped_condition`.

        Raises:
          MethodError: the output is not finite.
        """
        images, points = self._reframe(conditions)
        output = self.draw(
            to_float(images),
            masked_source,
            points,
            points_xy,
            *([] if warped_condition is None else [warped_condition]),
        )
        if not np.isfinite(output).all():
            raise MethodError("the generator gave numbers that are not finite")
        return output

    def _reframe(self, conditions: Conditions) -> tuple[np.ndarray, np.ndarray]:
        """Images and points of conditions at the generator's size, as in training."""
        framed = [
            reframe(image, points, self.size, self.zoom)
            for image, points in zip(
                conditions.images, conditions.points_xy, strict=True
            )
        ]
        images, points = zip(*framed, strict=True)
        return np.stack(images), np.stack(points)
