"""Photos anonymised by one process or several, with the same results."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Task, Worker
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.worker_pool import WorkerPool


class PhotoWorkers(Protocol):
    """Workers that detect faces in photos and write results, in input order."""

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """Yields `Worker.find` of each task."""
        ...

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """Yields `Worker.write` of each photo, after its result is written."""
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
      workers: detect faces and write results.
      here: this process' worker, which remembers people.
      on_plans: called with the faces of each photo, in input order.

    Raises:
      BrokenProcessPool: a worker process died.
    """

    def planned() -> Iterator[Planned]:
        for task, found in workers.find(tasks):
            if isinstance(found, FileResult):
                yield task, found
                continue
            plans = here.anonymiser.plan(found, task.name)
            on_plans(task, plans)
            yield task, plans

    return workers.write(planned())


@dataclasses.dataclass(frozen=True)
class LocalWorkers:
    """Workers of a `WorkerPool` of this machine."""

    pool: WorkerPool[Worker]

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """See `PhotoWorkers`."""
        return self.pool.map(Worker.find, tasks)

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """See `PhotoWorkers`."""
        return self.pool.map(Worker.write, planned)


@contextlib.contextmanager
def processes(
    settings: Settings, here: Worker, number: int = 1
) -> Iterator[PhotoWorkers]:
    """Yields workers on this machine.

    Args:
      settings: of the workers.
      here: this process' worker; with number 1 it does the work, in a thread.
      number: number of processes, at least 1.
    """
    if number == 1:
        pool = WorkerPool.in_thread(here)
    else:
        load = functools.partial(Worker, settings)
        pool = WorkerPool.in_processes(load, number)
    with pool:
        yield LocalWorkers(pool)
