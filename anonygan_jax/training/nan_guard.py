"""Counts the updates that were not finite, saves their batches, stops the run."""

import logging
import pathlib
import re

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.paths import write_warnings
from anonygan_jax.training.step import SKIPPED

logger = logging.getLogger(__name__)


BATCH_FILE = "not_finite_{}_process_{}.npz"  # of a step, of a process


class NotFiniteError(FloatingPointError):
    """Too many updates had losses or gradients that are NaN or infinite."""


class NanGuard:
    """Checks the losses of a step after the next step was started.

    So the check does not wait for the devices. The step has left the update out.
    """

    def __init__(
        self, workdir: pathlib.Path, batches: BatchLoader, max_skipped: int
    ) -> None:
        """Counts from 0.

        Args:
          max_skipped: updates that may be left out.
        """
        self._workdir, self._batches = workdir, batches
        self._left = max_skipped
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
        """Checks the step noted last; the batch of an update left out is saved.

        Raises:
          NotFiniteError: more updates than allowed were left out.
        """
        if self._noted is None:
            return
        step, values = self._noted
        self._noted = None
        if not float(values[SKIPPED]):
            return
        numbers = {name: float(value) for name, value in values.items()}
        bad = [name for name, value in numbers.items() if not np.isfinite(value)]
        saved = self._save(step, numbers)
        message = f"step {step}: {', '.join(bad)} not finite; its batch {saved}"
        self._left -= 1
        if self._left < 0:
            raise NotFiniteError(
                f"{message}; more updates were left out than run.max_skipped_steps; "
                "lower the learning rates, or look for faults in that batch; the same "
                "command goes on from the newest checkpoint"
            )
        logger.warning("%s; this update is left out", message)

    def _save(self, step: int, numbers: dict[str, float]) -> str:
        """Writes this process' rows of a batch and its losses; where, in words."""
        batch = vars(self._batches.batch(step - 1))
        path = self._workdir / BATCH_FILE.format(step, jax.process_index())
        fields = {name: array for name, array in batch.items() if array is not None}
        losses = {f"loss/{name}": np.array(value) for name, value in numbers.items()}
        with write_warnings():
            with atomic_write(path) as partial:
                np.savez_compressed(partial, allow_pickle=False, **fields, **losses)
            return f"is in {path}"
        return "could not be written"


def saved_batches(workdir: pathlib.Path) -> list[int]:
    """Returns the steps of a run whose updates were left out and batches saved."""
    name = re.compile(BATCH_FILE.format(r"(\d+)", 0))
    found = (name.fullmatch(path.name) for path in workdir.glob("not_finite_*"))
    return sorted(int(match[1]) for match in found if match)
