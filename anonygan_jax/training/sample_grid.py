"""Pictures by which a person follows a run."""

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.models.images import to_uint8
from anonygan_jax.systems.system import System
from anonygan_jax.systems.train_state import TrainState


class SampleGrid:
    """Grids of what a system has to show, a row for each of a few fixed pairs."""

    def __init__(self, system: System, batches: BatchLoader, num_pictures: int) -> None:
        self._batch = batches.strangers(num_pictures)
        self._draw = jax.jit(
            lambda variables, batch: [
                to_uint8(image) for image in system.pictures(variables, batch).values()
            ]
        )

    def __call__(self, state: TrainState) -> np.ndarray:
        """Returns uint8 [H, W, 3] from the averaged generator."""
        columns = jax.device_get(self._draw(state.generator_variables(), self._batch))
        return picture_grid([list(row) for row in zip(*columns, strict=True)])


def picture_grid(rows: list[list[np.ndarray]], gap: int = 2) -> np.ndarray:
    """Returns one uint8 [H, W, 3] picture of equally large uint8 pictures in rows."""
    height, width = rows[0][0].shape[:2]
    shape = (
        len(rows) * (height + gap) + gap,
        len(rows[0]) * (width + gap) + gap,
        3,
    )
    grid = np.full(shape, 255, np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = gap + i * (height + gap), gap + j * (width + gap)
            grid[top : top + height, left : left + width] = image
    return grid
