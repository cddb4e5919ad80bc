"""Folders of a generator: of runs, of exports, and the package's own.

Each has the run's config. A run and its default export have checkpoints/STEP/generator,
written by Orbax; an export for ONNX Runtime has generator.onnx.
"""

import importlib.resources
import json
import pathlib
import re
from typing import Any

from anonygan_jax.io import paths
from anonygan_jax.weights.config_fields import with_current_fields

CONFIG_FILE = "config.json"
CHECKPOINTS = "checkpoints"
GENERATOR = "generator"
ONNX_FILE = "generator.onnx"
STEP_NOTE = "step"  # in that file: of training
EMBEDDED_CHECKPOINT = "embedded"  # the name of the package's own checkpoint
_ADVICE = "a run that is resumed writes it again if it is not there"
_LAST_FILE = re.compile(r"(\d+)/generator/manifest\.ocdbt")  # that Orbax writes


class CheckpointError(ValueError):
    """A folder without a usable checkpoint; the message says what is missing."""


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
    except ValueError as error:
        raise CheckpointError(f"{path}: damaged ({error}); {_ADVICE}") from error
    if not isinstance(config, dict) or not {"model", "data"} <= config.keys():
        raise CheckpointError(f"{path}: no config of a run")
    try:
        return with_current_fields(config)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error


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
    items = folder.glob(f"*/{GENERATOR}")
    return sorted(int(p.parent.name) for p in items if p.parent.name.isdecimal())


def _steps_of(files: set[str]) -> list[int]:
    """The complete steps, by their files; an export has neither of Orbax's two."""
    steps = [match[1] for match in map(_LAST_FILE.fullmatch, files) if match]
    begun = {step for step in steps if f"{step}/_CHECKPOINT_METADATA" in files}
    ended = {step for step in begun if f"{step}/commit_success.txt" in files}
    return sorted(int(step) for step in steps if step not in begun - ended)
