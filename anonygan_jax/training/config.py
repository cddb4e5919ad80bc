"""A run's config: when things happen, and which fields a resume may change."""

import dataclasses
import json
import logging
import pathlib
from typing import Any

import ml_collections

from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.ranges import check_ranges
from anonygan_jax.io import paths
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.models.names import system_of
from anonygan_jax.systems.registry import system_class
from anonygan_jax.weights import checkpoint_folder
from anonygan_jax.weights.checkpoint_folder import CONFIG_FILE

logger = logging.getLogger(__name__)

RANKED = ("evaluation/reidentified", "evaluation/pose_l2")  # smaller is better
# Fields of `DataConfig` that say where data is and how it is read, not what is read.
CHANGEABLE = {"data.directory", "data.loader", "data.num_workers"}


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Periods in steps, and numbers; how many steps there are is the optimiser's field.

    Attributes:
      seed: of the initial weights and of dropout.
      log_every_x_steps: period of scalars.
      picture_every_x_steps: period of image grids of the averaged generator; 0 for
        none.
      checkpoint_every_x_steps: period of checkpoints; a kill loses at most so many
        steps.
      num_checkpoints: how many of the newest are kept on disk.
      num_pictures: rows of an image grid.
      evaluate_every_x_steps: period of the online evaluation (detection,
        re-identification and pose of the averaged generator), which needs dlib; 0 for
        none.
      num_evaluated: faces of the online evaluation.
      max_skipped_steps: updates that are not finite are left out; after more than so
        many since the start or the resume the run stops.
      best_by: one of `RANKED`, or "". The evaluated checkpoint in which this measure is
        smallest is kept, too.
      init_from: a run's folder, an export or "embedded": the initial generator of a new
        run. "" for random weights, which the other networks always have.
    """

    seed: int
    log_every_x_steps: int
    picture_every_x_steps: int
    checkpoint_every_x_steps: int
    num_checkpoints: int
    num_pictures: int
    evaluate_every_x_steps: int
    num_evaluated: int
    max_skipped_steps: int = 10
    best_by: str = ""
    init_from: str = ""

    def __post_init__(self) -> None:
        ones = ("log_every_x_steps", "checkpoint_every_x_steps", "num_checkpoints")
        zeros = ("picture_every_x_steps", "evaluate_every_x_steps", "max_skipped_steps")
        check_ranges(
            "run",
            self,
            **dict.fromkeys((*ones, "num_pictures", "num_evaluated"), 1),
            **dict.fromkeys((*zeros, "seed"), 0),
        )
        if self.best_by not in ("", *RANKED):
            raise ValueError(
                f"run.best_by is {self.best_by!r}, wanted one of {', '.join(RANKED)}"
            )
        if self.best_by and not self.evaluate_every_x_steps:
            raise ValueError(
                f"run.best_by is {self.best_by!r}, but run.evaluate_every_x_steps is 0"
            )


def save_config(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes the run's config beside its checkpoints.

    Args:
      config: of the run.
      workdir: of the run, made if it does not exist; may have the config with which
        the run was started.

    Raises:
      ValueError: the workdir has a run of another model, of other pairs or of another
        order of the data, its config cannot be read, or it has a later step than the
        last one; or the workdir cannot be written to.
    """
    path = workdir / CONFIG_FILE
    text = config.to_json(indent=1) + "\n"
    now = json.loads(text)
    if path.exists():
        before = checkpoint_folder.read_config(workdir)
        kept, given = _identity(before), _identity(now)
        changed = [name for name in sorted(given) if kept.get(name) != given[name]]
        if changed:
            raise ValueError(
                f"{workdir} holds a run that differs in config.{', '.join(changed)}; "
                "choose another --workdir"
            )
        _check_num_steps(workdir, now)
        for line in _differences(before, now):
            logger.warning("resumed with another config.%s", line)
    try:
        with atomic_write(path) as partial:
            partial.write_text(text)
    except paths.BucketError:
        raise
    except OSError as error:
        raise ValueError(
            f"--workdir: {workdir} cannot be written to ({error.strerror or error}); "
            "choose another, or make room there"
        ) from error


def _check_num_steps(workdir: pathlib.Path, config: dict[str, Any]) -> None:
    """Refuses a run that is past its last step."""
    steps = checkpoint_folder.saved_steps(workdir)
    num_steps = config["optimiser"]["num_steps"]
    if steps and steps[-1] > num_steps:
        raise ValueError(
            f"{workdir} has a checkpoint of step {steps[-1]}, and optimiser.num_steps "
            f"is {num_steps}; give at least {steps[-1]}, or choose another --workdir"
        )


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Fields that both configs have with other values: "section.field: VALUE, ..."."""
    return [
        f"{section}.{field}: {value}, it was {before[section][field]}"
        for section, fields in now.items()
        if isinstance(fields, dict)
        for field, value in fields.items()
        if before.get(section, {}).get(field, value) != value
    ]


def _identity(config: dict[str, Any]) -> dict[str, Any]:
    """Fields that cannot change when a run is resumed, by their full names.

    Its length, rates and loss weights can change, and its data can be moved. A field
    that the config of an older version does not have counts with its default.
    """
    kind = system_class(config).model_kind
    kinds = {"model": kind, "pairs": PairConfig, "data": DataConfig}
    fields = {
        f"{section}.{field.name}": config[section].get(field.name, _default(field))
        for section, kind in kinds.items()
        for field in dataclasses.fields(kind)
    }
    # Another folder can hold the same composites; with or without are other pairs.
    fields["data.composites"] = bool(fields["data.composites"])
    kept = {k: fields[k] for k in fields.keys() - CHANGEABLE}
    return {"system": system_of(config)} | kept


def _default(field: dataclasses.Field) -> Any:
    """A field's default, as JSON has it."""
    value = None if field.default is dataclasses.MISSING else field.default
    return list(value) if isinstance(value, tuple) else value
