"""Results of the methods that an evaluation runs."""

import dataclasses
import hashlib
import logging
import pathlib
import re

import tqdm

from anonygan_jax.anonymise.anonymiser import FACE
from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.batch.pool import processes
from anonygan_jax.anonymise.batch.result_names import OccupiedError
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.evaluation.collect.folders import FolderError, Problem
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.methods import make_methods
from anonygan_jax.weights.checkpoint_folder import CheckpointError

logger = logging.getLogger(__name__)

LONGEST_NAME = 80  # characters of a title in its folder's name


@dataclasses.dataclass
class MethodResults:
    """Folders of results.

    Attributes:
      folders: title -> folder.
      regions: title -> the part of a face that is changed, see `faces.masks`; of
        folders that exist it is not known, and PAPER_POLYGON is taken.
      problems: title -> originals without a result.
      empty_rows: of methods whose weights are missing.
    """

    folders: dict[str, pathlib.Path]
    regions: dict[str, str]
    problems: dict[str, list[Problem]] = dataclasses.field(default_factory=dict)
    empty_rows: list[Row] = dataclasses.field(default_factory=list)


def make_results(
    methods: dict[str, str],
    anonymised: dict[str, pathlib.Path],
    photos: dict[str, pathlib.Path],
    output: pathlib.Path,
    num_workers: int,
    consistent: str = FACE,
) -> MethodResults:
    """Returns folders of results, after running the methods.

    Args:
      methods: title -> "NAME" or "NAME:CHECKPOINT".
      anonymised: title -> folder of results that exist.
      photos: name -> original.
      output: folder of the folders of results.
      num_workers: number of processes.
      consistent: FACE for a condition for each face, PERSON for one for each person.

    Raises:
      FolderError: there is neither a method nor a folder.
      OccupiedError: a folder of results has a file that is none of ours.
      ValueError: a method is unknown or does not fit its checkpoint.
    """
    results = MethodResults(dict(anonymised), dict.fromkeys(anonymised, PAPER_POLYGON))
    for title, method in methods.items():
        folder = output / folder_name(title)
        try:
            settings = Settings.of_method(method, consistent=consistent)
            results.problems[title] = _anonymise(photos, settings, folder, num_workers)
            (first, *_) = make_methods(settings.method, settings.checkpoint)
            results.regions[title] = first.region
        except CheckpointError as error:
            logger.warning("%s: %s", title, error)
            results.empty_rows.append(Row(title, {}, {}, None, [str(error)]))
        else:
            results.folders[title] = folder
    if not results.folders and not results.empty_rows:
        raise FolderError("nothing to evaluate: give --methods or --anonymised")
    return results


def folder_name(title: str) -> str:
    """Returns the name of a method's folder; no other title has it.

    Short titles of small letters, digits and "_" name their folders, others have a
    hash, too.
    """
    name = re.sub(r"\W+", "_", title, flags=re.ASCII)[:LONGEST_NAME]
    if name == title == title.lower():  # some file systems have one case alone
        return name
    return f"{name}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"


def _anonymise(
    photos: dict[str, pathlib.Path],
    settings: Settings,
    folder: pathlib.Path,
    num_workers: int,
) -> list[Problem]:
    """Results of a method as PNG files.

    Those that an earlier evaluation made of the same photos, by the same weights, are
    not made again.
    """
    problems: list[Problem] = []
    with OutputFolder.opened(folder, About.of(settings)) as results:
        tasks: list[Task] = []
        for name, path in sorted(photos.items()):
            file, output = PhotoFile(path, name, PHOTO), folder / f"{name}.png"
            try:
                tasks.append(results.task(file, output))
            except OccupiedError:
                raise  # what is there would be measured
            except PhotoError as error:
                problems.append(Problem(name, str(error).removeprefix(f"{path}: ")))
        outcomes = _outcomes(tasks, results, settings, num_workers)
        for task, outcome in zip(tasks, outcomes, strict=True):
            if not outcome.result:
                problems.append(Problem(task.name, outcome.reason or "no result"))
    return problems


def _outcomes(
    tasks: list[Task], results: OutputFolder, settings: Settings, num_workers: int
) -> list[FileResult]:
    """The results of tasks, after they are in their folder."""
    if all(task.previous for task in tasks):
        return [task.previous for task in tasks if task.previous]
    with processes(settings, len(tasks), num_workers) as workers:
        results.begin()
        bar = tqdm.tqdm(
            workers.anonymise(tasks), settings.method, len(tasks), unit="photo"
        )
        return [
            results.settle(task, result)
            for task, result in zip(tasks, bar, strict=True)
        ]
