"""Generators of training runs, loaded to draw faces."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.faces.alignment import reframe
from anonygan_jax.methods.auto import AUTO
from anonygan_jax.methods.method import Faces, MethodError
from anonygan_jax.models.config import ANONYGAN, CIAGAN, model_config, system_of
from anonygan_jax.models.images import to_float
from anonygan_jax.weights import generator_checkpoint
from anonygan_jax.weights.generator_checkpoint import EMBEDDED, checkpoint_path


class TrainedGenerator:
    """The newest averaged generator of a run.

    Attributes:
      size: (height, width) that it draws.
      zoom: how much of CelebA's frame that shows; see `crops.window_transform`.
      uses_warped_condition: it improves a warped face instead of filling a hole.
      step: the training step its weights are from.
    """

    def __init__(self, checkpoint: str = EMBEDDED) -> None:
        """Loads the weights.

        Args:
          checkpoint: a training run's folder, an export of it, or "embedded".

        Raises:
          CheckpointError: there is none.
        """
        config, self._model, self._variables, self.step = load_trained(
            checkpoint, ANONYGAN
        )
        height, width = config["data"]["image_size"]
        self.size = (int(height), int(width))
        self.zoom = float(config["data"].get("zoom", 1.0))  # older runs have none
        self.uses_warped_condition = self._model.uses_warped_condition
        self._generate = jax.jit(self._model.generator().apply)

    def __call__(
        self,
        conditions: Faces,
        masked_source: jax.Array,
        points_xy: np.ndarray,
        warped_condition: jax.Array | None = None,
    ) -> np.ndarray:
        """Returns drawn faces, float32 [B, H, W, 3] in [-1, 1].

        Args:
          conditions: framed as CelebA frames faces, of any size.
          context: float32 [B, H, W, 3], the sources with their faces set to 0.
          points_xy: float32 [B, 68, 2], the landmarks to follow.
          prior: float32 [B, H, W, 3], the sources with warped faces.

        Raises:
          MethodError: the output is not finite.
        """
        images, points = self._resize(conditions)
        output = self._generate(
            self._variables,
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

    def _resize(self, conditions: Faces) -> tuple[jax.Array, jax.Array]:
        """Conditions as training showed them."""
        framed = [
            reframe(image, points, self.size, self.zoom)
            for image, points in zip(
                conditions.images, conditions.points_xy, strict=True
            )
        ]
        images, points = zip(*framed, strict=True)
        return jnp.asarray(np.stack(images)), jnp.asarray(np.stack(points))


def trained_methods(checkpoint: str) -> list[str]:
    """Returns the methods that can use a run's generator, the best first.

    Raises:
      CheckpointError: there is no config.
    """
    config = generator_checkpoint.read_config(checkpoint_path(checkpoint))
    system = system_of(config)
    improves = system == ANONYGAN and model_config(config).uses_warped_condition
    return [AUTO, system] if improves else [system]


def load_trained(
    checkpoint: str, system: str
) -> tuple[dict[str, Any], Any, dict[str, Any], int]:
    """Returns a run's config, its networks' fields, weights and step.

    Args:
      checkpoint: a training run's folder, an export of it, or "embedded".
      system: that the run must have trained, one of `models.config.MODELS`.

    Raises:
      CheckpointError: there is no checkpoint, or one of another system.
    """
    config, variables, step = generator_checkpoint.load_generator(
        checkpoint_path(checkpoint)
    )
    trained = system_of(config)
    if trained != system:
        where = "the package" if checkpoint == EMBEDDED else checkpoint
        raise generator_checkpoint.CheckpointError(
            f"{where} holds a generator of {trained}; {system} needs its own, from a "
            f"run of configs/{system if system == CIAGAN else 'faces'}.py: give "
            "--checkpoint"
        )
    return config, model_config(config), variables, step
