"""Checkpoints of a run, to resume it; `weights.generator_checkpoint` reads generators.

A checkpoint has two items: "generator" (averaged parameters and running statistics:
all that anonymising needs) and "training" (the rest, for a resume).
"""

import contextlib
import logging
import pathlib
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import jax
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint.checkpoint_managers import preservation_policy

from anonygan_jax.io import paths
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import processes
from anonygan_jax.weights.checkpoint_folder import (
    CHECKPOINTS,
    CheckpointError,
    saved_steps,
)
from anonygan_jax.weights.generator_checkpoint import check_item

logger = logging.getLogger(__name__)

# Far inside of what TensorStore says of a full disk.
NO_SPACE = ("No space left on device", "Disk quota exceeded")
ITEMS = ("generator", "training")
MAX_WAIT = 60  # seconds for a thread of a save that failed


class Checkpoints:
    """Saves and restores the states of one run."""

    def __init__(self, workdir: pathlib.Path, num_kept: int, best_by: str = "") -> None:
        """Opens `workdir`/checkpoints.

        Args:
          workdir: of the run.
          num_kept: how many of the newest are kept.
          best_by: measure; the checkpoint in which it is smallest is kept, too. "" for
            none.
        """
        kept: list[preservation_policy.PreservationPolicy] = [
            preservation_policy.LatestN(num_kept)
        ]
        if best_by:
            best = preservation_policy.BestN(
                get_metric_fn=lambda metrics: metrics[best_by],
                reverse=True,  # the smallest is the best
                n=1,
                keep_checkpoints_without_metrics=False,
            )
            kept.append(best)
        options = ocp.CheckpointManagerOptions(
            preservation_policy=preservation_policy.AnyPreservationPolicy(kept)
        )
        self._workdir, self._best_by = workdir, best_by
        self._begun: list[int] = []  # steps whose saves this process has begun
        self._directory = paths.absolute(workdir / CHECKPOINTS)
        self._manager = ocp.CheckpointManager(
            self._directory, options=options, item_names=ITEMS
        )

    def save(self, state: TrainState, measures: dict[str, float] | None = None) -> None:
        """Saves in the background; a step that is already saved is not written again.

        Args:
          state: of the run.
          measures: of the state, if it was evaluated.

        Raises:
          CheckpointError: this checkpoint or the one before cannot be written.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        items = {k: ocp.args.StandardSave(v) for k, v in _items(state).items()}
        metrics = None
        if measures and self._best_by in measures:
            metrics = {self._best_by: measures[self._best_by]}
        self._begun.append(step)
        with self._writing():
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)

    def restore_latest(self, like: TrainState) -> TrainState | None:
        """Returns the newest readable state; None if nothing was saved yet.

        Newer checkpoints that cannot be read are renamed, with a warning.

        Args:
          like: a state with the shapes, types and shardings of the restored one.

        Raises:
          CheckpointError: there are checkpoints, but none can be read.
        """
        unreadable: list[int] = []
        steps = sorted(self._manager.all_steps(), reverse=True)
        if not processes.is_same(steps):
            raise CheckpointError(
                f"{self._directory}: the processes of this run see different "
                "checkpoints there; --workdir must be one folder that all share"
            )
        for step in steps:
            # Processes go on from one step, or they would train different weights.
            state, reason = self._attempt(step, like)
            if state is not None:
                self._set_aside(unreadable)
                return state
            logger.warning("checkpoint %d cannot be read: %s", step, reason)
            unreadable.append(step)
        if unreadable:  # not renamed: the cause may be outside the checkpoints
            raise CheckpointError(
                f"{self._directory}: none of the checkpoints can be read; the "
                f"oldest: {reason}; mend the cause, or choose another --workdir"
            )
        return None

    def _attempt(self, step: int, like: TrainState) -> tuple[TrainState | None, str]:
        """The state of a step, if all processes can read it; else the reason."""
        state, reason = None, ""
        try:
            for item in ITEMS:
                check_item(self._directory / str(step) / item)
        except (OSError, ValueError) as error:
            reason = _short(error)
        if processes.all_agree(not reason):
            try:
                state = self._restore(step, like)
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = _short(error)
        if processes.all_agree(state is not None):
            return state, ""
        return None, reason or "another process of this run cannot read it"

    def _set_aside(self, steps: list[int]) -> None:
        """Renames checkpoints so that their steps can be saved again."""
        if jax.process_index() == 0:
            for step in steps:
                folder = self._directory / str(step)
                aside = folder.rename(folder.with_name(f"damaged_{step}"))
                logger.warning("checkpoint %d is called %s now", step, aside.name)
        multihost_utils.sync_global_devices("damaged checkpoints are set aside")
        self._manager.reload()

    def _restore(self, step: int, like: TrainState) -> TrainState:
        """The state of a step."""
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        items = {k: ocp.args.StandardRestore(v) for k, v in _items(abstract).items()}
        restored = self._manager.restore(step, args=ocp.args.Composite(**items))
        ema_params = restored["generator"]["params"]
        return TrainState(
            **restored["training"], ema_params=ema_params, frozen=like.frozen
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Turns errors of a write, perhaps of the save before, into CheckpointError."""
        try:
            yield
        except (OSError, ValueError) as error:
            steps, rest = saved_steps(self._workdir), "none is there yet"
            if steps:
                rest = f"step {steps[-1]} is whole, the same command goes on from there"
            raise CheckpointError(
                f"{self._workdir}: a checkpoint cannot be written: {_short(error)}; "
                f"{rest}"
            ) from error

    def _remove_unfinished(self) -> None:
        """Frees what a save took that could not be finished, as far as possible.

        That of another process is left: it may still be written.
        """
        if jax.process_index() == 0 and not paths.is_bucket(self._directory):
            for thread in threading.enumerate():  # after an error some still write
                if type(thread).__module__.startswith("orbax."):
                    threading.Thread.join(thread, MAX_WAIT)  # its own raises
            for step in self._begun:
                folder = self._directory / f"{step}.orbax-checkpoint-tmp"
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Waits for unfinished saves.

        Raises:
          CheckpointError: a checkpoint cannot be written.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self._remove_unfinished)
            stack.callback(self._manager.close)  # its threads end, also after an error
            with self._writing():
                self._manager.wait_until_finished()


def _short(error: Exception) -> str:
    """The beginning of a message, on one line."""
    text = " ".join(str(error).split())
    full = next((f"{words}: " for words in NO_SPACE if words in text), "")
    return full + text[:200]


def _items(state: TrainState) -> dict[str, Any]:
    """The contents of a checkpoint, by the names in `ITEMS`."""
    names = ("step", "params", "batch_stats", "opt_state")
    training = {name: getattr(state, name) for name in names}
    return dict(zip(ITEMS, (state.generator_variables(), training), strict=True))
