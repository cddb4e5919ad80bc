"""Evaluation of a training run's checkpoints: of the newest, or of each in turn."""

import logging
import pathlib
import tempfile
import time

import ml_collections

from anonygan_jax.evaluation.report.report import RESULTS_FILE
from anonygan_jax.evaluation.run import Evaluation, evaluate
from anonygan_jax.io.paths import is_bucket
from anonygan_jax.io.staged_folder import staged_folder
from anonygan_jax.recognition.table import FROM_FILES
from anonygan_jax.weights import checkpoint_folder, export

logger = logging.getLogger(__name__)

EVALUATION = "evaluation"
POLL_SECONDS = 10.0
_FILES = ("pairs", "inception_weights")


def evaluate_run(config: ml_collections.ConfigDict, workdir: pathlib.Path) -> None:
    """Writes the report of the newest checkpoint and of the config's other methods.

    Args:
      workdir: of the run; the report is in evaluation/STEP in it.

    Raises:
      ValueError: there is no checkpoint, or nothing can be measured.
      MissingPackage: as `evaluate`.
    """
    steps = checkpoint_folder.saved_steps(workdir)
    if not steps:
        raise checkpoint_folder.CheckpointError(f"{workdir}: no checkpoint there yet")
    _evaluate_step(config, workdir, steps[-1], tuple(config.evaluation.methods))


def watch_run(
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Evaluates each checkpoint of a run that another process trains.

    Returns after the config's last step. A checkpoint that the run removes before it is
    evaluated is skipped with a warning; the run should keep more checkpoints then.

    Args:
      poll_seconds: time between two searches for new checkpoints.

    Raises:
      ValueError: nothing can be measured.
      MissingPackage: as `evaluate`.
    """
    last, done = config.optimiser.num_steps, set[int]()
    while last not in done:
        waiting = [s for s in checkpoint_folder.saved_steps(workdir) if s not in done]
        for step in waiting:
            if not _is_evaluated(workdir, step):
                try:
                    _evaluate_step(config, workdir, step, ())
                except checkpoint_folder.CheckpointError as error:
                    logger.warning("skipped: %s", error)
            done.add(step)
        if not waiting:
            time.sleep(poll_seconds)


def _output(workdir: pathlib.Path, step: int) -> pathlib.Path:
    """The folder of a checkpoint's report."""
    return workdir / EVALUATION / f"{step:08d}"


def _is_evaluated(workdir: pathlib.Path, step: int) -> bool:
    """Whether there is a report that is not older than the checkpoint.

    Folders of a bucket have no age.
    """
    report = _output(workdir, step) / RESULTS_FILE
    checkpoint = workdir / checkpoint_folder.CHECKPOINTS / str(step)
    if is_bucket(workdir) or not report.exists() or not checkpoint.exists():
        return report.exists()
    return report.stat().st_mtime_ns >= checkpoint.stat().st_mtime_ns


def _evaluate_step(
    config: ml_collections.ConfigDict,
    workdir: pathlib.Path,
    step: int,
    others: tuple[str, ...],
) -> None:
    """Evaluates a copy of one checkpoint, which the run cannot remove."""
    fields = config.evaluation.to_dict()
    if not fields["originals"]:
        raise ValueError(
            "config.evaluation.originals is empty; name a folder of photos"
        )
    for name in _FILES:
        fields[name] = pathlib.Path(fields[name]) if fields[name] else None
    weights = {name: fields.pop(name) for name in FROM_FILES}
    fields["recogniser_weights"] = {n: pathlib.Path(w) for n, w in weights.items() if w}
    output = _output(workdir, step)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = pathlib.Path(folder) / "checkpoint"
        export.export_generator(workdir, checkpoint, step)
        title = f"{workdir.name}, step {step}"
        methods = {name: name for name in others} | {
            title: f"{config.system}:{checkpoint}"
        }
        with staged_folder(output) as staged:
            evaluate(Evaluation(**fields | {"methods": methods}), staged)
    logger.info("report of step %d in %s", step, output)
