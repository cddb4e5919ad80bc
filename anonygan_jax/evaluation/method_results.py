"""Results of the methods that an evaluation runs."""

import dataclasses
import logging
import pathlib
import re

import tqdm

from anonygan_jax.anonymise.anonymiser import FACE
from anonygan_jax.anonymise.batch.pool import anonymise_photos, processes
from anonygan_jax.anonymise.batch.worker import Task, Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.evaluation.collect.folders import FolderError, Problem
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.weights.generator_checkpoint import CheckpointError

logger = logging.getLogger(__name__)


@dataclasses.dataclass
class MethodResults:
    """Folders of results.

    Attributes:
      folders: title -> folder.
      problems: title -> originals without a result.
      empty_rows: of methods whose weights are missing.
    """

    folders: dict[str, pathlib.Path]
    problems: dict[str, list[Problem]] = dataclasses.field(default_factory=dict)
    empty_rows: list[Row] = dataclasses.field(default_factory=list)


def make_results(
    methods: dict[str, str],
    anonymised: dict[str, pathlib.Path],
    photos: dict[str, pathlib.Path],
    output: pathlib.Path,
    num_workers: int,
) -> MethodResults:
    """Returns folders of results, after running the methods.

    Args:
      methods: title -> "NAME" or "NAME:CHECKPOINT".
      anonymised: title -> folder of results that exist.

    Raises:
      FolderError: there is neither a method nor a folder.
      ValueError: a method is unknown or does not fit its checkpoint.
    """
    results = MethodResults(dict(anonymised))
    for title, method in methods.items():
        folder = output / re.sub(r"\W+", "_", title)
        try:
            results.problems[title] = _anonymise(photos, method, folder, num_workers)
        except CheckpointError as error:
            logger.warning("%s: %s", title, error)
            results.empty_rows.append(Row(title, {}, {}, None, [str(error)]))
        else:
            results.folders[title] = folder
    if not results.folders and not results.empty_rows:
        raise FolderError("nothing to evaluate: give --methods or --anonymised")
    return results


def _anonymise(
    photos: dict[str, pathlib.Path], method: str, folder: pathlib.Path, num_workers: int
) -> list[Problem]:
    """Results of a method as PNG files; each face gets a condition of its own."""
    tasks = [
        Task(path, name, folder / f"{name}.png")
        for name, path in sorted(photos.items())
        if not (folder / f"{name}.png").exists()
    ]
    settings = Settings.of_method(method, consistent=FACE)
    here = Worker(settings)
    with processes(settings, here, num_workers) as workers:
        outcomes = anonymise_photos(tasks, workers, here)
        bar = tqdm.tqdm(outcomes, method, len(tasks), unit="photo")
        return [
            Problem(task.name, outcome.reason or "no result")
            for task, outcome in zip(tasks, bar, strict=True)
            if not outcome.result
        ]
