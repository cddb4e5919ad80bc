"""Checkpoints on disk; the one file that knows Orbax.

A checkpoint has two items: "generator" (averaged parameters and running statistics:
all that anonymising needs) and "training" (the rest, needed to continue).
"""

import contextlib
import importlib.resources
import json
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from orbax.checkpoint.checkpoint_managers import preservation_policy

from anonygan_jax.run_config import CONFIG_FILE
from anonygan_jax.train_state import TrainState

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
ITEMS = ("generator", "training")
EMBEDDED = "embedded"  # the checkpoint that stands for the package's own


class CheckpointError(ValueError):
    """A folder that holds no usable checkpoint; the message says what it lacks."""


class Checkpoints:
    """Saves and restores the states of one run."""

    def __init__(self, workdir: pathlib.Path, num_kept: int, best_by: str = "") -> None:
        """Opens `workdir`/checkpoints.

        Args:
          workdir: of the run.
          num_kept: so many of the newest stay,
          best_by: and the one in which this measure is smallest.
        """
        kept: list[preservation_policy.PreservationPolicy] = [
            preservation_policy.LatestN(num_kept)
        ]
        if best_by:
            best = preservation_policy.BestN(
                get_metric_fn=lambda metrics: metrics[best_by],
                reverse=True,  # the last ones stay
                n=1,
                keep_checkpoints_without_metrics=False,
            )
            kept.append(best)
        options = ocp.CheckpointManagerOptions(
            preservation_policy=preservation_policy.AnyPreservationPolicy(kept)
        )
        self._workdir, self._best_by = workdir, best_by
        directory = (workdir / CHECKPOINTS).absolute()
        self._manager = ocp.CheckpointManager(
            directory, options=options, item_names=ITEMS
        )

    def save(self, state: TrainState, measures: dict[str, float] | None = None) -> None:
        """Saves in the background; a step that is already there is left alone.

        Args:
          state: what is saved.
          measures: of the state, if it was evaluated.

        Raises:
          CheckpointError: this one or the one before cannot be written.
        """
        step = int(state.step)
        if step in self._manager.all_steps():
            return
        training = {
            "step": state.step,
            "params": state.params,
            "batch_stats": state.batch_stats,
            "opt_state": state.opt_state,
        }
        items = {
            "generator": ocp.args.StandardSave(state.generator_variables()),
            "training": ocp.args.StandardSave(training),
        }
        metrics = None
        if measures and self._best_by in measures:
            metrics = {self._best_by: measures[self._best_by]}
        with self._writing():
            self._manager.save(step, args=ocp.args.Composite(**items), metrics=metrics)

    def restore_latest(self, like: TrainState) -> TrainState | None:
        """Returns the newest state that can be read; None where nothing was saved yet.

        Newer ones that cannot are moved out of the way, with a warning.

        Args:
          like: a state whose arrays lie as the restored ones shall.

        Raises:
          CheckpointError: something was saved, but nothing can be read.
        """
        unreadable: list[int] = []
        for step in sorted(self._manager.all_steps(), reverse=True):
            try:
                state = self._restore(step, like)
            except (OSError, ValueError, KeyError, TypeError) as error:
                reason = " ".join(str(error).split())[:200]
                logger.warning("checkpoint %d cannot be read: %s", step, reason)
                unreadable.append(step)
                continue
            self._set_aside(unreadable)
            return state
        if unreadable:  # left where they are: perhaps it is not they that are wrong
            raise CheckpointError(
                f"{self._manager.directory}: none of the checkpoints can be read; the "
                f"oldest: {reason}"
            )
        return None

    def _set_aside(self, steps: list[int]) -> None:
        """Renames checkpoints so that their steps can be saved again."""
        if jax.process_index() == 0:
            for step in steps:
                folder = pathlib.Path(self._manager.directory) / str(step)
                folder.rename(folder.with_name(f"damaged_{step}"))
        multihost_utils.sync_global_devices("damaged checkpoints are set aside")
        self._manager.reload()

    def _restore(self, step: int, like: TrainState) -> TrainState:
        """The state of a step."""
        abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        training = {
            name: getattr(abstract, name)
            for name in ("step", "params", "batch_stats", "opt_state")
        }
        items = {
            "generator": ocp.args.StandardRestore(abstract.generator_variables()),
            "training": ocp.args.StandardRestore(training),
        }
        restored = self._manager.restore(step, args=ocp.args.Composite(**items))
        ema_params = restored["generator"]["params"]
        return TrainState(
            **restored["training"], ema_params=ema_params, frozen=like.frozen
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Tells what a failed write means; it may be that of the save before."""
        try:
            yield
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            steps = saved_steps(self._workdir)
            rest = "none is there yet"
            if steps:
                rest = f"step {steps[-1]} is whole, the same command goes on from there"
            raise CheckpointError(
                f"{self._workdir}: a checkpoint cannot be written: {reason}; {rest}"
            ) from error

    def close(self) -> None:
        """Waits for saves under way.

        Raises:
          CheckpointError: one cannot be written.
        """
        with self._writing():
            self._manager.wait_until_finished()
        self._manager.close()


def saved_steps(workdir: pathlib.Path) -> list[int]:
    """Returns the steps whose generators are in a run's folder, in order.

    They are whole: until a step is written to its end, its folder has another name.
    """
    folders = (workdir / CHECKPOINTS).glob("*/generator")
    return sorted(int(p.parent.name) for p in folders if p.parent.name.isdigit())


def read_arrays(item: pathlib.Path) -> Any:
    """Returns a saved item as numpy arrays, on whatever devices it was written.

    Raises:
      OSError, ValueError, KeyError: it cannot be read.
    """
    with ocp.StandardCheckpointer() as checkpointer:
        saved = checkpointer.metadata(item).item_metadata
        if saved is None:
            raise ValueError(f"{item}: damaged or removed")
        like = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), saved.tree)
        return checkpointer.restore(item, like)


def checkpoint_path(checkpoint: str) -> pathlib.Path:
    """Returns the folder of a run or an export, or that of the embedded one."""
    if checkpoint == EMBEDDED:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "checkpoint"))
    return pathlib.Path(checkpoint)


def read_config(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns the config of a run or of an export.

    Raises:
      CheckpointError: there is none in `workdir`.
    """
    path = workdir / CONFIG_FILE
    if not path.exists():
        raise CheckpointError(
            f"{workdir}: no {CONFIG_FILE} there; give the --workdir of a training run"
        )
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def load_generator(
    workdir: pathlib.Path, step: int | None = None
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Returns an averaged generator of a run.

    Args:
      workdir: a run's folder or an export of it.
      step: of the run; by default the newest.

    Returns:
      The run's config as a dict, float32 variables {"params", "batch_stats"}, and the
      step they are from.

    Raises:
      CheckpointError: there is no config or no readable checkpoint in `workdir`.
    """
    config = read_config(workdir)
    directory = (workdir / CHECKPOINTS).absolute()
    steps = saved_steps(workdir)
    if not steps:
        raise CheckpointError(f"{workdir}: no checkpoint was saved there yet")
    step = steps[-1] if step is None else step
    if step not in steps:
        raise CheckpointError(f"{workdir}: no checkpoint of step {step} there")
    try:
        saved = read_arrays(directory / str(step) / "generator")
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{workdir}: the checkpoint of step {step} is damaged or was removed"
        ) from error
    variables = jax.tree.map(lambda x: np.asarray(x, np.float32), saved)
    return config, variables, step


def export_generator(
    workdir: pathlib.Path, output: pathlib.Path, step: int | None = None
) -> None:
    """Writes an averaged generator, by default the newest, for `load_generator`.

    Where the data lay is left out of the config.

    Raises:
      CheckpointError: as `load_generator`.
      FileExistsError: `output` exists.
    """
    config, variables, step = load_generator(workdir, step)
    config["data"]["directory"] = None
    write_generator(output, config, variables, step)


def write_generator(
    output: pathlib.Path,
    config: dict[str, Any],
    variables: dict[str, Any],
    step: int,
) -> None:
    """Writes a generator for `load_generator`.

    Parameters are kept in float16; running statistics in float32, as the graph blocks'
    variances exceed float16's range.

    Args:
      output: folder to make.
      config: of its run.
      variables: {"params", "batch_stats"}.
      step: of the run.

    Raises:
      FileExistsError: `output` exists.
    """
    output.mkdir(parents=True)
    (output / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n")
    params = jax.tree.map(lambda x: jnp.asarray(x, jnp.float16), variables["params"])
    with ocp.StandardCheckpointer() as checkpointer:
        directory = (output / CHECKPOINTS / str(step)).absolute()
        directory.mkdir(parents=True)
        checkpointer.save(directory / "generator", {**variables, "params": params})
    # Nobody reads Orbax's note on a local disk, but it names the writer's folders.
    (directory / "generator" / "commit_success.txt").unlink(missing_ok=True)
