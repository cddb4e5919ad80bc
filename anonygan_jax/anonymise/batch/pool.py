"""Photos and videos anonymised by one process or several, with the same results."""

import contextlib
import functools
import pathlib
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult
from anonygan_jax.anonymise.batch.table import Table
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Planned, Searched, VideoJob, Worker
from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.atomic_write import remove_leftovers
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied

Item = TypeVar("Item")
Made = TypeVar("Made")


class PhotoWorkers(Protocol):
    """Workers on this machine (`WorkerPool`) or others (`beam.Pipelines`)."""

    def map(
        self,
        work: Callable[[Worker, Item], Made],
        items: Iterable[Item],
        lost: Callable[[Item, WorkerDied], Made] | None = None,
    ) -> Iterator[Made]:
        """Yields work(worker, item) of each item, in input order.

        Args:
          lost: returns what is yielded for an item during which a process died.
        """
        ...


# Makes workers for a number of photos.
PhotoWorkersMaker = Callable[
    [Settings, int], contextlib.AbstractContextManager[PhotoWorkers]
]


def anonymise_photos(
    tasks: Iterable[Task],
    workers: PhotoWorkers,
    here: Worker,
    on_plans: Callable[[Task, list[Plan]], None] = lambda *_: None,
) -> Iterator[FileResult]:
    """Yields the result of each photo, in input order, after it is staged.

    The workers detect faces and write results. This process selects the condition of
    each face in between, in input order: results do not depend on the workers. A worker
    that dies fails its photo.

    Args:
      tasks: photos, in the order in which people are remembered.
      here: this process' worker, which remembers people.
      on_plans: called with the faces of each photo, in input order.

    Raises:
      WorkerDied: a worker could not be loaded.
    """

    def planned() -> Iterator[Planned]:
        for task, found in workers.map(Worker.find, tasks, _lost_in_search):
            if isinstance(found, FileResult):
                yield task, found
                continue
            plans = here.anonymiser.plan(found, task.name)
            on_plans(task, plans)
            yield task, plans

    return workers.map(Worker.write, planned(), _lost_in_write)


def anonymise_videos(
    tasks: list[Task],
    workers: WorkerPool[Worker],
    memory: IdentityMemory | None,
    table: Table | None = None,
) -> Iterator[FileResult]:
    """Yields the result of each video, in input order, after it is staged.

    Each is processed by a worker, one after the other, since who is remembered is
    passed on. A worker that dies fails its video; its people are not remembered.

    Args:
      memory: of the people in the photos.
      table: gets the detected faces.

    Raises:
      WorkerDied: a worker could not be loaded.
    """
    for number, task in enumerate(tasks):
        if task.previous and all(later.previous for later in tasks[number:]):
            yield task.previous
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows = pathlib.Path(folder, "rows") if table else None
            job = VideoJob(task, memory, rows)
            ((result, memory),) = workers.map(Worker.video, [job], _lost_video)
            if rows is not None and table is not None and rows.exists():
                _copy_rows(rows, table)
        yield result


def processes(
    settings: Settings, num_files: int, number: int = 1
) -> WorkerPool[Worker]:
    """Returns workers on this machine, in processes of their own."""
    load = functools.partial(Worker, settings)
    return WorkerPool.in_processes(load, max(1, min(number, num_files)))


def _lost_in_search(task: Task, error: WorkerDied) -> Searched:
    return task, _lost(task, error)


def _lost_in_write(planned: Planned, error: WorkerDied) -> FileResult:
    return _lost(planned[0], error)


def _lost_video(
    job: VideoJob, error: WorkerDied
) -> tuple[FileResult, IdentityMemory | None]:
    return _lost(job.task, error), job.memory


def _lost(task: Task, error: WorkerDied) -> FileResult:
    """The result of a file during which its process died, without what that left."""
    remove_leftovers(task.output.parent)
    return FileResult(str(task.photo), FAILED, reason=str(error))


def _copy_rows(rows: pathlib.Path, table: Table) -> None:
    """Adds the rows that a worker wrote to a table."""
    with rows.open("rb") as file:
        while True:
            try:
                row = pickle.load(file)  # safe: our worker wrote it
            except EOFError:
                return
            table(*row)
