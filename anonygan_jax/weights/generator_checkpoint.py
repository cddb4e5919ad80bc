"""Averaged generators on disk, read: of runs, of exports, and the package's own.

A folder of them has the run's config and checkpoints/STEP/generator, written by Orbax.
"""

import importlib.resources
import json
import pathlib
import re
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import tensorstore as ts

from anonygan_jax.io import paths
from anonygan_jax.io.fetch import fetch
from anonygan_jax.weights.config_fields import with_current_fields

CONFIG_FILE = "config.json"
CHECKPOINTS = "checkpoints"
EMBEDDED_CHECKPOINT = "embedded"  # the name of the package's own checkpoint
_GENERATOR = "generator"
_NUM_READS = 16  # at a time, of arrays or parts of them
_LAST_FILE = re.compile(r"(\d+)/generator/manifest\.ocdbt")  # that Orbax writes


class CheckpointError(ValueError):
    """A folder without a usable checkpoint; the message says what is missing."""


def saved_steps(workdir: pathlib.Path) -> list[int]:
    """Returns the steps whose generators are in a run's folder, in order.

    They are complete: while a step is written, its folder has another name. In a bucket
    it has that name, and one file more when it is complete.

    Raises:
      BucketError: the bucket cannot be read.
    """
    folder = workdir / CHECKPOINTS
    if paths.is_bucket(folder):
        return _steps_of(set(paths.files_in(folder)))
    items = folder.glob(f"*/{_GENERATOR}")
    return sorted(int(p.parent.name) for p in items if p.parent.name.isdecimal())


def _steps_of(files: set[str]) -> list[int]:
    """The complete steps, by their files; an export has neither of Orbax's two."""
    steps = [match[1] for match in map(_LAST_FILE.fullmatch, files) if match]
    begun = {step for step in steps if f"{step}/_CHECKPOINT_METADATA" in files}
    ended = {step for step in begun if f"{step}/commit_success.txt" in files}
    return sorted(int(step) for step in steps if step not in begun - ended)


def check_item(item: pathlib.Path) -> None:
    """Accepts a saved item of which every file can be read.

    Called before Orbax reads it, since after one damaged array Orbax abandons its other
    reads, whose errors are printed from many threads, thousands of lines.

    Raises:
      CheckpointError: a file is missing, cut or damaged.
    """
    try:
        for path in (item / "_METADATA", *(item / "array_metadatas").glob("*")):
            json.loads(path.read_text())
        store = ts.KvStore.open(
            {"driver": "ocdbt", "base": paths.kvstore(item)}
        ).result()
        keys = store.list().result()
        if not keys:  # TensorStore's answer, too, where there is no database
            raise ValueError("no arrays")
        for start in range(0, len(keys), _NUM_READS):
            reads = [store.read(key) for key in keys[start : start + _NUM_READS]]
            if not all(read.result().value for read in reads):  # of a lost file: b""
                raise ValueError("arrays are missing")
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{item}: damaged ({text})") from error


def read_arrays(item: pathlib.Path) -> Any:
    """Returns a saved item as numpy arrays, on whatever devices it was written.

    Raises:
      CheckpointError: it cannot be read.
    """
    check_item(item)
    with ocp.StandardCheckpointer() as checkpointer:
        saved = checkpointer.metadata(item).item_metadata
        if saved is None:
            raise CheckpointError(f"{item}: damaged or removed")
        like = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), saved.tree)
        return checkpointer.restore(item, like)


def checkpoint_path(checkpoint: str) -> pathlib.Path:
    """Returns the folder of a run or an export; that of the package for "embedded".

    Raises:
      PathError: it is an address of an unknown kind.
    """
    if checkpoint == EMBEDDED_CHECKPOINT:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "checkpoint"))
    return paths.path_of(checkpoint)


def read_config(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns the config of a run or of an export, with the fields of this version.

    Raises:
      CheckpointError: there is none in `workdir`, it is damaged, or it has a removed
        field.
    """
    path = workdir / CONFIG_FILE
    if not path.exists():
        raise CheckpointError(
            f"{workdir}: no {CONFIG_FILE} there; give the --workdir of a training run"
        )
    try:
        config = json.loads(path.read_text())
        if not isinstance(config, dict) or not {"model", "data"} <= config.keys():
            raise ValueError("no config of a run")
        return with_current_fields(config)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


def load_generator(
    workdir: pathlib.Path, step: int | None = None
) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Returns an averaged generator of a run.

    Args:
      workdir: a run's folder or an export of it, perhaps in a bucket.
      step: of the run; by default the newest.

    Returns:
      The run's config as a dict, float32 variables {"params", "batch_stats"}, and the
      step they are from.

    Raises:
      CheckpointError: there is no usable config or no readable checkpoint in
        `workdir`.
    """
    config = read_config(workdir)
    steps = saved_steps(workdir)
    if not steps:
        raise CheckpointError(f"{workdir}: no checkpoint was saved there yet")
    step = steps[-1] if step is None else step
    if step not in steps:
        raise CheckpointError(f"{workdir}: no checkpoint of step {step} there")
    try:
        item = fetch(str(workdir / CHECKPOINTS / str(step) / _GENERATOR))
        saved = read_arrays(item.absolute())
    except (CheckpointError, paths.PathError) as error:
        raise CheckpointError(
            f"{workdir}: the checkpoint of step {step} is damaged or was removed"
        ) from error
    variables = jax.tree.map(lambda x: np.asarray(x, np.float32), saved)
    return config, variables, step
