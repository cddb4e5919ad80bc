"""Photos and videos anonymised by one process or several, with the same results."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult
from anonygan_jax.anonymise.batch.table import Table
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Found, Planned, Searched, Worker
from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.anonymise.video.detection_store import NO_TRACK, face_of
from anonygan_jax.anonymise.video.found_video import FoundVideo
from anonygan_jax.io.atomic_write import remove_leftovers
from anonygan_jax.io.worker_pool import WorkerPool

Planner = Callable[[Searched], Planned]
Lost = Callable[[Task, Exception], FileResult]


class Workers(Protocol):
    """Workers on this machine (`LocalWorkers`) or others (`beam.Pipelines`)."""

    def anonymise(
        self, tasks: list[Task], table: Table | None = None
    ) -> Iterator[FileResult]:
        """Yields the result of each photo or video, in input order, after it is staged.

        Args:
          tasks: in the order in which people are remembered, after those of earlier
            calls.
          table: gets the detected faces.
        """
        ...


# Makes workers for a number of files.
WorkersMaker = Callable[[Settings, int], contextlib.AbstractContextManager[Workers]]


class LocalWorkers:
    """Workers of a pool; a process of this machine remembers people."""

    def __init__(self, pool: WorkerPool[Worker], here: Worker) -> None:
        """Takes the workers.

        Args:
          here: this process' worker, which plans photos.
        """
        self._pool, self._here = pool, here

    def anonymise(
        self, tasks: list[Task], table: Table | None = None
    ) -> Iterator[FileResult]:
        """Yields the result of each file; see `Workers`."""
        return anonymise_files(tasks, self._pool, self._here, table)


def anonymise_files(
    tasks: Iterable[Task],
    pool: WorkerPool[Worker],
    here: Worker,
    table: Table | None = None,
) -> Iterator[FileResult]:
    """Yields the result of each file, in input order, after it is staged.

    The workers detect faces and write results. In between the condition of each face is
    selected, in input order: results do not depend on the workers. A worker that dies
    fails its file.

    Args:
      tasks: photos or videos, in the order in which people are remembered.
      here: this process' worker, which remembers people.
      table: gets the detected faces.

    Raises:
      WorkerDied: a worker could not be loaded.
    """
    tasks = list(tasks)
    # What is found in videos takes room on the disk.
    num_ahead = None if all(task.is_photo for task in tasks) else pool.num_workers
    plan = planner(pool, here, _lost)

    def planned() -> Iterator[Planned]:
        for searched in pool.map(Worker.find, tasks, _lost_in_search, num_ahead):
            if table is not None:
                add_rows(table, *searched)
            yield plan(searched)

    yield from pool.map(Worker.write, planned(), _lost_in_write, num_ahead)


def planner(pool: WorkerPool[Worker], here: Worker, lost: Lost) -> Planner:
    """Returns what plans files, to be called in input order.

    Photos are planned here. Of videos replacements are tried, by a process of the pool:
    who is remembered travels there and back.

    Args:
      lost: returns the result of a file during whose planning the process died.
    """
    lost_job = functools.partial(_lost_in_plan, lost)

    def plan(searched: Searched) -> Planned:
        task, found = searched
        if task.is_photo or isinstance(found, FileResult):
            return here.plan(searched)
        memory = here.anonymiser.memory
        jobs = [(searched, memory if here.anonymiser.remembers else None)]
        ((planned, memory),) = pool.map(Worker.plan_and_remember, jobs, lost_job)
        if here.anonymiser.remembers:
            here.anonymiser.memory = memory
        return planned

    return plan


def add_rows(table: Table, task: Task, found: Found | FileResult) -> None:
    """Adds the faces of a file to a table."""
    if isinstance(found, FileResult):
        return
    if found is not None:
        for page, faces in enumerate(found):
            for number, one in enumerate(faces):
                table(task.name, page, 0.0, number, one.face)
        return
    with FoundVideo.load(task.scratch) as video:
        for frame, rows in video.store.by_frame():
            for row in rows[rows["track"] != NO_TRACK]:
                seconds, track = float(row["seconds"]), int(row["track"])
                table(task.name, frame, seconds, track, face_of(row))


@contextlib.contextmanager
def processes(
    settings: Settings, num_files: int, number: int = 1
) -> Iterator[LocalWorkers]:
    """Gives workers on this machine, in processes of their own."""
    load = functools.partial(Worker, settings)
    with WorkerPool.in_processes(load, max(1, min(number, num_files))) as pool:
        yield LocalWorkers(pool, Worker(settings))  # loaded while they start


@contextlib.contextmanager
def in_thread(settings: Settings) -> Iterator[LocalWorkers]:
    """Gives one worker, in a thread of this process."""
    here = Worker(settings)
    with WorkerPool.in_thread(here) as pool:
        yield LocalWorkers(pool, here)


def failed(task: Task, error: Exception) -> FileResult:
    """Returns the result of a file during which a process died."""
    return FileResult(str(task.photo), FAILED, reason=str(error))


def _lost_in_search(task: Task, error: Exception) -> Searched:
    return task, _lost(task, error)


def _lost_in_write(planned: Planned, error: Exception) -> FileResult:
    return _lost(planned[0], error)


def _lost_in_plan(
    lost: Lost, job: tuple[Searched, IdentityMemory | None], error: Exception
) -> tuple[Planned, IdentityMemory | None]:
    (task, _), memory = job
    return (task, lost(task, error)), memory


def _lost(task: Task, error: Exception) -> FileResult:
    """The result of a file during which its process died, without what that left.

    Of workers on this machine alone: it removes what other machines write there.
    """
    remove_leftovers(task.output.parent)
    return failed(task, error)
