"""Photos anonymised by one process or several, with the same results."""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.worker import Planned, Task, Worker
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.worker_pool import WorkerPool

Item = TypeVar("Item")
Made = TypeVar("Made")


class PhotoWorkers(Protocol):
    """Workers on this machine (`WorkerPool`) or others (`beam.Pipelines`)."""

    def map(
        self, work: Callable[[Worker, Item], Made], items: Iterable[Item]
    ) -> Iterator[Made]:
        """Yields work(worker, item) of each item, in input order."""
        ...


PhotoWorkersMaker = Callable[
    [Settings, Worker], contextlib.AbstractContextManager[PhotoWorkers]
]


def anonymise_photos(
    tasks: Iterable[Task],
    workers: PhotoWorkers,
    here: Worker,
    on_plans: Callable[[Task, list[Plan]], None] = lambda *_: None,
) -> Iterator[FileResult]:
    """Yields the result of each photo, in input order, after it is written.

    The workers detect faces and write results. This process selects the condition of
    each face in between, in input order: results do not depend on the workers.

    Args:
      tasks: photos, in the order in which people are remembered.
      here: this process' worker, which remembers people.
      on_plans: called with the faces of each photo, in input order.

    Raises:
      BrokenProcessPool: a worker process died.
    """

    def planned() -> Iterator[Planned]:
        for task, found in workers.map(Worker.find, tasks):
            if isinstance(found, FileResult):
                yield task, found
                continue
            plans = here.anonymiser.plan(found, task.name)
            on_plans(task, plans)
            yield task, plans

    return workers.map(Worker.write, planned())


def processes(settings: Settings, here: Worker, number: int = 1) -> WorkerPool[Worker]:
    """Returns workers on this machine.

    Args:
      here: this process' worker; with number 1 it does the work, in a thread.
    """
    if number == 1:
        return WorkerPool.in_thread(here)
    return WorkerPool.in_processes(functools.partial(Worker, settings), number)
