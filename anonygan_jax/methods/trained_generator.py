"""Generators of training runs, loaded to draw faces."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anonygan_jax.faces.alignment import reframe
from anonygan_jax.methods.method import Conditions, MethodError
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.config import ANONYGAN, CIAGAN, model_config, system_of
from anonygan_jax.models.images import to_float
from anonygan_jax.weights.generator_checkpoint import (
    EMBEDDED_CHECKPOINT,
    CheckpointError,
    checkpoint_path,
    load_generator,
)

# Of each system, a config that trains it.
CONFIGS = {ANONYGAN: "configs/faces.py", CIAGAN: "configs/ciagan.py"}


class TrainedGenerator:
    """The newest averaged generator of a run of AnonyGAN.

    Attributes:
      size: (height, width) of the images that it draws.
      zoom: of the window of CelebA's frame; see `alignment.window_transform`.
      uses_warped_condition: whether it improves a warped face instead of filling a
        hole.
      step: training step of the weights.
      variables: its weights, {"params", "batch_stats"}.
    """

    def __init__(self, checkpoint: str = EMBEDDED_CHECKPOINT) -> None:
        """Loads the weights.

        Raises:
          CheckpointError: the folder has no checkpoint of AnonyGAN.
        """
        config, self._model, self.variables, self.step = load_trained(
            checkpoint, ANONYGAN
        )
        height, width = config["data"]["image_size"]
        self.size = (int(height), int(width))
        self.zoom = float(config["data"].get("zoom", 1.0))  # older runs have none
        self.uses_warped_condition = self._model.uses_warped_condition
        self._generate = jax.jit(
            self._model.generator().apply, compiler_options=compiler_options()
        )

    def __call__(
        self,
        conditions: Conditions,
        masked_source: Float[np.ndarray | jax.Array, "B H W 3"],
        points_xy: Float[np.ndarray | jax.Array, "B 68 2"],
        warped_condition: Float[np.ndarray | jax.Array, "B H W 3"] | None = None,
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
        output = self._generate(
            self.variables,
            to_float(images),
            masked_source,
            self._model.select_points(points),
            self._model.select_points(jnp.asarray(points_xy)),
            *([] if warped_condition is None else [warped_condition]),
        )
        assert isinstance(output, jax.Array)
        if not bool(jnp.isfinite(output).all()):
            raise MethodError("the generator gave numbers that are not finite")
        return np.asarray(output)

    def _reframe(self, conditions: Conditions) -> tuple[jax.Array, jax.Array]:
        """Images and points of conditions at the generator's size, as in training."""
        framed = [
            reframe(image, points, self.size, self.zoom)
            for image, points in zip(
                conditions.images, conditions.points_xy, strict=True
            )
        ]
        images, points = zip(*framed, strict=True)
        return jnp.asarray(np.stack(images)), jnp.asarray(np.stack(points))


def load_trained(
    checkpoint: str, system: str
) -> tuple[dict[str, Any], Any, dict[str, Any], int]:
    """Returns a run's config, the fields of its networks, its weights and their step.

    Raises:
      CheckpointError: there is no checkpoint, or one of another system.
    """
    config, variables, step = load_generator(checkpoint_path(checkpoint))
    trained = system_of(config)
    if trained != system:
        where = "the package" if checkpoint == EMBEDDED_CHECKPOINT else checkpoint
        raise CheckpointError(
            f"{where} holds a generator of {trained}; {system} needs its own, from a "
            f"run of {CONFIGS[system]}: give --checkpoint"
        )
    return config, model_config(config), variables, step
