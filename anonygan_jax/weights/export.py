"""Exports: averaged generators in folders of their own, without the rest of a run."""

import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from anonygan_jax.weights.checkpoint_folder import CHECKPOINTS, CONFIG_FILE, GENERATOR
from anonygan_jax.weights.generator_checkpoint import load_generator
from anonygan_jax.weights.onnx_export import require_converter, write_onnx

ORBAX, ONNX = FORMATS = ("orbax", "onnx")
# What an export's config says instead of the run's: no path of the machine, and nothing
# that depends on the accelerator, as results are the same without.
PORTABLE = {
    "data.directory": None,
    "data.composites": None,
    "losses.arcface_weights": None,
    "losses.identity_leak_weights": None,
    "model.convolution": "lax",
    "model.use_space_to_depth": False,
    "run.init_from": None,
}


def export_generator(
    workdir: pathlib.Path,
    output: pathlib.Path,
    step: int | None = None,
    file_format: str = ORBAX,
) -> None:
    """Writes an averaged generator into a folder that the tool takes.

    Its config names no path: those of data and weights are null, and the section
    `evaluation`, which says nothing of the generator, is left out. Options for
    accelerators are reset.

    Args:
      workdir: of the run.
      output: folder to make.
      step: of the run; by default the newest.
      file_format: one of FORMATS: "orbax", for `load_generator`; "onnx", for ONNX
        Runtime, which draws faster on CPUs and needs no JAX.

    Raises:
      CheckpointError: as `load_generator`.
      FileExistsError: `output` exists.
      MissingPackage: as `write_onnx`.
    """
    if file_format == ONNX:
        require_converter()
    config, variables, step = load_generator(workdir, step)
    write_generator(output, _portable(config), variables, step, file_format)


def _portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """A run's config for every machine."""
    kept = {name: value for name, value in config.items() if name != "evaluation"}
    for name, value in PORTABLE.items():
        section, field = name.split(".")
        if field in kept.get(section, {}):
            kept[section] = kept[section] | {field: value}
    return kept


def write_generator(
    output: pathlib.Path,
    config: dict[str, Any],
    variables: dict[str, Any],
    step: int,
    file_format: str = ORBAX,
) -> None:
    """Writes a generator into a folder that the tool takes.

    Parameters are written in float16. Running statistics are written in float32, as the
    graph blocks' variances exceed float16's range.

    Args:
      output: folder to make.
      config: of the generator's run.
      variables: {"params", "batch_stats"}.
      step: of the run.
      file_format: one of FORMATS.

    Raises:
      FileExistsError: `output` exists.
      MissingPackage: as `write_onnx`.
    """
    if output.exists():
        raise FileExistsError(f"{output} exists; choose another --output")
    params = jax.tree.map(lambda x: np.asarray(x, np.float16), variables["params"])
    halved = variables | {"params": params}
    if file_format == ONNX:
        exact = jax.tree.map(lambda x: np.asarray(x, np.float32), halved)
        write_onnx(output, config, exact, step)
    else:
        _write_orbax(output, config, halved, step)


def _write_orbax(
    output: pathlib.Path, config: dict[str, Any], variables: dict[str, Any], step: int
) -> None:
    """Writes a generator for `load_generator`."""
    output.mkdir(parents=True)
    (output / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n")
    with ocp.StandardCheckpointer() as checkpointer:
        directory = (output / CHECKPOINTS / str(step)).absolute()
        directory.mkdir(parents=True)
        checkpointer.save(directory / GENERATOR, variables)
    # Orbax's note is not needed on a local disk, and it names the writer's folders.
    (directory / GENERATOR / "commit_success.txt").unlink(missing_ok=True)


def checksum(variables: dict[str, Any]) -> str:
    """Returns the SHA-256 of a generator's weights, however they are stored.

    Args:
      variables: from `load_generator`; those of an export are exact in float16.
    """
    digest = hashlib.sha256()
    leaves = jax.tree_util.tree_leaves_with_path(variables)
    for path, leaf in sorted((jax.tree_util.keystr(p), leaf) for p, leaf in leaves):
        digest.update(path.encode())
        digest.update(np.asarray(leaf, "<f4").tobytes())
    return digest.hexdigest()
