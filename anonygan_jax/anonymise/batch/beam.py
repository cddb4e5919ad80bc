"""Photos and videos by Apache Beam: on this machine, Dataflow, Flink or Spark.

Files and results must be in folders that all workers can open. A pipeline has three
steps: search (anywhere), planning (in one place, in input order), writing (anywhere).
What a step makes of a file is written into a folder beside the results, so a runner may
repeat any part of it.
"""

import contextlib
import functools
import itertools
import pathlib
import shutil
from collections.abc import Iterator

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from anonygan_jax.anonymise.batch.beam_steps import Load, Plan, Step, read_made
from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.pool import Workers, add_rows, failed
from anonygan_jax.anonymise.batch.table import Table
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.atomic_write import remove_leftovers, temporary_path
from anonygan_jax.io.beam_pipeline import parse_options, run_pipeline

# An interruption loses the results of so many.
PHOTOS_PER_PIPELINE, VIDEOS_PER_PIPELINE = 10_000, 100


class Pipelines:
    """`Workers` of one pipeline for each PHOTOS_PER_PIPELINE photos, or fewer videos.

    A process that dies fails its file, as on one machine. A file that takes the
    runner's own worker along several times is set aside, if the runner repeats what
    failed. Each video is one worker's.
    """

    def __init__(
        self, load: Load, options: PipelineOptions, folder: pathlib.Path
    ) -> None:
        """Takes what loads a worker, and a folder that all workers can open."""
        self._load, self._options, self._folder = load, options, folder
        self._count = 0

    def anonymise(
        self, tasks: list[Task], table: Table | None = None
    ) -> Iterator[FileResult]:
        """Yields the result of each file; see `Workers`.

        Raises:
          ValueError: the runner or an option is unknown to Beam.
          PipelineError: a pipeline failed.
          WorkerDied: a worker process could not be started.
        """
        left = iter(tasks)
        are_photos = all(task.is_photo for task in tasks)
        number = PHOTOS_PER_PIPELINE if are_photos else VIDEOS_PER_PIPELINE
        while some := list(itertools.islice(left, number)):
            folder = self._folder / f"{self._count}"
            self._run(some, folder)
            for place in {task.output.parent for task in some}:
                remove_leftovers(place)  # of processes that died
            for n in range(len(some)):
                if table is not None:
                    add_rows(table, *read_made(folder / "found", n))
                yield read_made(folder / "written", n)
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, tasks: list[Task], folder: pathlib.Path) -> None:
        """Runs a pipeline, and waits for its end."""
        pipeline = beam.Pipeline(options=self._options)
        self._add_steps(pipeline, tasks, folder)
        run_pipeline(pipeline)

    def _add_steps(
        self, pipeline: beam.Pipeline, tasks: list[Task], folder: pathlib.Path
    ) -> None:
        """Adds the steps of files to a pipeline, and makes their folders."""
        found, written = folder / "found", folder / "written"
        for place in (found, written):
            place.mkdir(parents=True)
        find = Step(self._load, _find, _lost_in_search, found)
        write = Step(self._load, _write, _lost_in_write, written)
        _ = (
            pipeline
            | "files" >> beam.Create(list(enumerate(tasks)))
            | "spread" >> beam.Reshuffle()
            | "find" >> beam.ParDo(find)
            | "one key" >> beam.Map(_with_one_key)
            | "together" >> beam.GroupByKey()
            | "plan" >> beam.ParDo(self._plan(found))
            | "spread again" >> beam.Reshuffle()
            | "write" >> beam.ParDo(write)
        )

    def _plan(self, found: pathlib.Path) -> Plan:
        """The step that plans; people are handed on from pipeline to pipeline."""
        before = self._folder / f"people-{self._count}" if self._count else None
        self._count += 1
        after = self._folder / f"people-{self._count}"
        return Plan(self._load, found, before, after)


@contextlib.contextmanager
def pipelines(
    settings: Settings, num_files: int, options: str, output: pathlib.Path
) -> Iterator[Workers]:
    """Gives workers of pipelines; see `pool.WorkersMaker`.

    Args:
      options: of Beam, as on a command line: "--runner=FlinkRunner ...".

    Raises:
      ValueError: the runner or an option is unknown to Beam.
    """
    del num_files  # the runner counts
    parsed = parse_options(options)
    folder = temporary_path(output / "beam")
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield Pipelines(functools.partial(Worker, settings), parsed, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # it would hide an error


def _find(worker: Worker, task: Task) -> Searched:
    return worker.find(task)


def _write(worker: Worker, planned: Planned) -> FileResult:
    return worker.write(planned)


def _lost_in_search(task: Task, error: Exception) -> Searched:
    return task, failed(task, error)


def _lost_in_write(planned: Planned, error: Exception) -> FileResult:
    return failed(planned[0], error)


def _with_one_key(numbered: tuple[int, Task]) -> tuple[str, int]:
    return "", numbered[0]
