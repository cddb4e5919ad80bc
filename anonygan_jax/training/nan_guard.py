"""Stops a run whose losses are not finite, and saves the batch of that step."""

import pathlib

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader


class NotFiniteError(FloatingPointError):
    """A loss is NaN or infinite; the message has the path of its batch."""


class NanGuard:
    """Checks the losses of a step after the next step was started.

    So the check does not wait for the devices.
    """

    def __init__(self, workdir: pathlib.Path, batches: BatchLoader) -> None:
        self._workdir, self._batches = workdir, batches
        self._noted: tuple[int, dict[str, jax.Array]] | None = None

    def note(self, step: int, values: dict[str, jax.Array]) -> None:
        """Checks the step noted before, as `check`, and notes this one.

        Args:
          step: number of the step, from 1.
          values: its loss terms; the devices may still compute them.
        """
        self.check()
        self._noted = step, values

    def check(self) -> None:
        """Checks the step noted last.

        Raises:
          NotFiniteError: a loss of it is not finite; the batch is saved.
        """
        if self._noted is None:
            return
        step, values = self._noted
        self._noted = None
        numbers = {name: float(value) for name, value in values.items()}
        bad = [name for name, value in numbers.items() if not np.isfinite(value)]
        if bad:
            path = self._save(step, numbers)
            raise NotFiniteError(
                f"step {step}: {', '.join(bad)} not finite; its batch is in {path}"
            )

    def _save(self, step: int, numbers: dict[str, float]) -> pathlib.Path:
        """Writes this process' rows of a batch and its losses as a .npz file."""
        batch = vars(self._batches.batch(step - 1))
        path = self._workdir / f"not_finite_{step}_process_{jax.process_index()}.npz"
        fields = {name: array for name, array in batch.items() if array is not None}
        losses = {f"loss/{name}": np.array(value) for name, value in numbers.items()}
        np.savez_compressed(path, allow_pickle=False, **fields, **losses)
        return path
