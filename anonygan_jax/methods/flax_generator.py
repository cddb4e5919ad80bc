"""Generators of training runs, drawn with by JAX."""

import os

import jax
import numpy as np

from anonygan_jax.io.paths import path_of
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.weights.drawing import drawing_function
from anonygan_jax.weights.generator_checkpoint import load_generator


class FlaxGenerator:
    """The newest averaged generator of a run.

    Attributes:
      step: training step of the weights.
      variables: its weights, {"params", "batch_stats"}.
    """

    def __init__(self, folder: os.PathLike[str]) -> None:
        """Loads the weights.

        Raises:
          CheckpointError: the folder has no checkpoint.
        """
        config, self.variables, self.step = load_generator(path_of(os.fspath(folder)))
        self._draw = jax.jit(
            drawing_function(config), compiler_options=compiler_options()
        )

    def __call__(self, *inputs: np.ndarray) -> np.ndarray:
        """Returns drawn images, float32 [B, H, W, 3]; see `drawing_function`."""
        return np.asarray(self._draw(self.variables, *inputs))
