"""A run's config: when things happen, and what may change while it goes on."""

import dataclasses
import json
import pathlib
from typing import Any

import ml_collections

from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.models.config import MODELS, system_of
from anonygan_jax.weights.config_fields import with_current_names
from anonygan_jax.weights.generator_checkpoint import CONFIG_FILE

RANKED = ("evaluation/reidentified", "evaluation/pose_l2")  # smaller is better


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """When things happen, in steps; the number of steps is the optimiser's.

    Attributes:
      seed: of the initial weights and of dropout.
      log_every_x_steps: scalars.
      picture_every_x_steps: grids of faces, from the averaged generator.
      checkpoint_every_x_steps: what a kill loses at most.
      num_checkpoints: kept on disk, the newest.
      num_pictures: rows of a grid.
      evaluate_every_x_steps: detection, re-identification and pose, from the averaged
        generator (needs dlib); 0 for never.
      num_evaluated: faces that this looks at.
      best_by: one of `RANKED`, or "": the checkpoint in which that measure is smallest,
        of those saved at a step that is evaluated, is kept, too.
      init_from: a run's folder, an export or "embedded": a new run begins with that
        generator instead of noise; its other networks are new. "" for none.
    """

    seed: int
    log_every_x_steps: int
    picture_every_x_steps: int
    checkpoint_every_x_steps: int
    num_checkpoints: int
    num_pictures: int
    evaluate_every_x_steps: int
    num_evaluated: int
    best_by: str = ""
    init_from: str = ""

    def __post_init__(self) -> None:
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

    Raises:
      ValueError: the workdir belongs to a run of another model, of other pairs or of
        another order of the data.
    """
    path = workdir / CONFIG_FILE
    text = config.to_json(indent=1) + "\n"
    if path.exists():
        before, now = (
            _identity(with_current_names(json.loads(t)))
            for t in (path.read_text(), text)
        )
        changed = [name for name in now if before.get(name) != now[name]]
        if changed:
            raise ValueError(
                f"{workdir} holds a run that differs in config.{', '.join(changed)}; "
                "choose another --workdir"
            )
    path.write_text(text)


def _identity(config: dict[str, Any]) -> dict[str, Any]:
    """Fields that cannot change while a run goes on, by their full names.

    Its length, rates and loss weights may, and its data may move. Fields that a run
    of an older version did not have count with their defaults.
    """
    system = system_of(config)
    kinds = {"model": MODELS[system], "pairs": PairConfig, "data": DataConfig}
    fields = {
        f"{section}.{field.name}": config[section].get(field.name, _default(field))
        for section, kind in kinds.items()
        for field in dataclasses.fields(kind)
    }
    kept = fields.keys() - {"data.directory", "data.loader"}
    return {"system": system} | {k: fields[k] for k in kept}


def _default(field: dataclasses.Field) -> Any:
    """A field's default, as JSON has it."""
    value = None if field.default is dataclasses.MISSING else field.default
    return list(value) if isinstance(value, tuple) else value
