"""Averaged generators that Orbax wrote, read as numpy arrays."""

import json
import pathlib
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import tensorstore as ts

from anonygan_jax.io import paths
from anonygan_jax.io.fetch import fetch
from anonygan_jax.weights.checkpoint_folder import (
    CHECKPOINTS,
    GENERATOR,
    CheckpointError,
    read_config,
    saved_steps,
)

# What Orbax raises of a file that is JSON but not its own.
_OF_OTHER_JSON = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_NUM_READS = 16  # at a time, of arrays or parts of them


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
        try:
            saved = checkpointer.metadata(item).item_metadata
        except _OF_OTHER_JSON as error:
            raise CheckpointError(f"{item}: damaged (_METADATA)") from error
        if saved is None:
            raise CheckpointError(f"{item}: damaged or removed")
        like = jax.tree.map(lambda x: np.empty(x.shape, x.dtype), saved.tree)
        return checkpointer.restore(item, like)


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
        item = fetch(str(workdir / CHECKPOINTS / str(step) / GENERATOR))
        saved = read_arrays(item.absolute())
    except (CheckpointError, paths.PathError) as error:
        raise CheckpointError(
            f"{workdir}: the checkpoint of step {step} is damaged or was removed"
        ) from error
    variables = jax.tree.map(lambda x: np.asarray(x, np.float32), saved)
    return config, variables, step
