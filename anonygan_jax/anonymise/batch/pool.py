"""Many photos, by one process or several, with the same results."""

import contextlib
import dataclasses
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Protocol

import cv2

from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.worker import Planned, Searched, Task, Worker
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.prefetch import in_order

NUM_AHEAD_PER_WORKER = 8


class WorkerPool(Protocol):
    """Who searches photos and writes results, many at a time and in order."""

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """Yields `Worker.find` of each task."""
        ...

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """Yields `Worker.write` of each photo; results are there by then."""
        ...


WorkerPoolMaker = Callable[
    [Settings, Worker], contextlib.AbstractContextManager[WorkerPool]
]


def anonymise_photos(
    tasks: Iterable[Task],
    helpers: WorkerPool,
    here: Worker,
    on_plans: Callable[[Task, list[Plan]], None] = lambda *_: None,
) -> Iterator[FileResult]:
    """Yields what became of each photo, in order; results are written by then.

    Photos are searched and written by helpers; who gets whose face is decided in
    between, here and in order, so that results do not depend on who helps.

    Args:
      tasks: in the order in which people are met.
      helpers: who searches and writes.
      here: this process' worker, whose people are remembered.
      on_plans: called with the faces of each photo, in order.

    Raises:
      BrokenProcessPool: a worker died.
    """

    def planned() -> Iterator[Planned]:
        for task, found in helpers.find(tasks):
            if isinstance(found, FileResult):
                yield task, found
                continue
            plans = here.anonymiser.plan(found, task.name)
            on_plans(task, plans)
            yield task, plans

    return helpers.write(planned())


@dataclasses.dataclass(frozen=True)
class Pool:
    """Helpers that are threads or processes.

    Attributes:
      executor: of them.
      find_one, write_one: of a worker.
      num_ahead: results under way or waiting, at most.
    """

    executor: Executor
    find_one: Callable[[Task], Searched]
    write_one: Callable[[Planned], FileResult]
    num_ahead: int

    def find(self, tasks: Iterable[Task]) -> Iterator[Searched]:
        """See `WorkerPool`."""
        return in_order(self.executor, self.find_one, tasks, self.num_ahead)

    def write(self, planned: Iterable[Planned]) -> Iterator[FileResult]:
        """See `WorkerPool`."""
        return in_order(self.executor, self.write_one, planned, self.num_ahead)


@contextlib.contextmanager
def processes(
    settings: Settings, here: Worker, number: int = 1
) -> Iterator[WorkerPool]:
    """Helpers on this machine.

    Args:
      settings: of the workers.
      here: this process' worker; it does all where the number is 1.
      number: of processes.
    """
    num_ahead = NUM_AHEAD_PER_WORKER * number
    if number == 1:
        with ThreadPoolExecutor(1) as executor:
            yield Pool(executor, here.find, here.write, num_ahead)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(number, context, _start, (settings,)) as executor:
        yield Pool(executor, _find, _write, num_ahead)


_worker: Worker | None = None  # of a worker process


def _start(settings: Settings) -> None:
    """Loads the method once per process."""
    global _worker
    cv2.setNumThreads(1)
    _worker = Worker(settings)


def _find(task: Task) -> Searched:
    """In a worker process."""
    assert _worker is not None
    return _worker.find(task)


def _write(planned: Planned) -> FileResult:
    """In a worker process."""
    assert _worker is not None
    return _worker.write(planned)
