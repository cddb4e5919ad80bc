"""Stops a run that has diverged, with what is needed to find out why."""

import dataclasses
import pathlib

import jax
import numpy as np

from anonygan_jax.data.batches import BatchLoader


class NotFiniteError(FloatingPointError):
    """A loss became NaN or infinite; the message says where its batch lies."""


class NanGuard:
    """Looks at the losses of a step once the next one is under way."""

    def __init__(self, workdir: pathlib.Path, batches: BatchLoader) -> None:
        """Keeps where batches are saved, and what makes them again."""
        self._workdir, self._batches = workdir, batches
        self._noted: tuple[int, dict[str, jax.Array]] | None = None

    def note(self, step: int, values: dict[str, jax.Array]) -> None:
        """Looks at the step before, and keeps this one for later.

        Args:
          step: its number.
          values: loss terms, perhaps still being computed.

        Raises:
          NotFiniteError: see `check`.
        """
        self.check()
        self._noted = step, values

    def check(self) -> None:
        """Looks at the step noted last.

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
        batch = self._batches.batch(step - 1)
        path = self._workdir / f"not_finite_{step}_process_{jax.process_index()}.npz"
        fields = {
            field.name: getattr(batch, field.name)
            for field in dataclasses.fields(batch)
            if getattr(batch, field.name) is not None
        }
        losses = {f"loss/{name}": np.array(value) for name, value in numbers.items()}
        np.savez_compressed(path, allow_pickle=False, **fields, **losses)
        return path
