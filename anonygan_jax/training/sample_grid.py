"""Image grids by which a person follows a run."""

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.io.contact_sheet import contact_sheet
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.images import to_uint8
from anonygan_jax.systems.system import System
from anonygan_jax.systems.train_state import TrainState

GAP = 2  # pixels between pictures


class SampleGrid:
    """Grids of a system's `pictures`, one row for each of some fixed pairs."""

    def __init__(self, system: System, batches: BatchLoader, num_pictures: int) -> None:
        """Draws the pairs.

        Raises:
          ValueError: there are too few people.
        """
        self._batch = batches.different_identity_pairs(num_pictures)
        self._draw = jax.jit(
            lambda variables, batch: [
                to_uint8(image) for image in system.pictures(variables, batch).values()
            ],
            compiler_options=compiler_options(),
        )

    def __call__(self, state: TrainState) -> np.ndarray:
        """Returns uint8 [H, W, 3], drawn by the averaged generator."""
        columns = jax.device_get(self._draw(state.generator_variables(), self._batch))
        rows = [list(row) for row in zip(*columns, strict=True)]
        return contact_sheet(rows, columns[0].shape[1:3], GAP)
