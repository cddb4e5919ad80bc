"""Averaged generators on disk: of runs, exported, or in the package.

A folder of them has the run's config and checkpoints/STEP/generator, written by Orbax.
"""

import hashlib
import importlib.resources
import json
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from anonygan_jax.weights.config_fields import with_current_names

CONFIG_FILE = "config.json"
CHECKPOINTS = "checkpoints"
EMBEDDED_CHECKPOINT = "embedded"  # the checkpoint that stands for the package's own


class CheckpointError(ValueError):
    """A folder that holds no usable checkpoint; the message says what it lacks."""


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
    if checkpoint == EMBEDDED_CHECKPOINT:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "checkpoint"))
    return pathlib.Path(checkpoint)


def read_config(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns the config of a run or of an export, its fields named as today.

    Raises:
      CheckpointError: there is none in `workdir`.
    """
    path = workdir / CONFIG_FILE
    if not path.exists():
        raise CheckpointError(
            f"{workdir}: no {CONFIG_FILE} there; give the --workdir of a training run"
        )
    return with_current_names(json.loads(path.read_text()))


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


def checksum(variables: dict[str, Any]) -> str:
    """Returns the SHA-256 of a generator's weights, however they are stored.

    Args:
      variables: from `load_generator`; of an export, exactly what float16 can hold.
    """
    digest = hashlib.sha256()
    leaves = jax.tree_util.tree_leaves_with_path(variables)
    for path, leaf in sorted((jax.tree_util.keystr(p), leaf) for p, leaf in leaves):
        digest.update(path.encode())
        digest.update(np.asarray(leaf, "<f4").tobytes())
    return digest.hexdigest()


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
