"""Pool of processes that each load one worker, with results in input order."""

import dataclasses
import functools
import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import cv2

from anonygan_jax.io.prefetch import ordered_map

NUM_AHEAD_PER_WORKER = 8  # results in progress or waiting

Worker = TypeVar("Worker")
Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclasses.dataclass(frozen=True)
class WorkerPool(Generic[Worker]):
    """Processes, or one thread, that apply functions to a worker and items.

    Leaving a `with` block ends the pool: calls that have not begun are cancelled.

    Attributes:
      executor: the processes or the thread.
      bind: turns work(worker, item) into a function of the item.
      num_ahead: results in progress or waiting, at most.
    """

    executor: Executor
    bind: Callable[[Callable], Callable]
    num_ahead: int

    @classmethod
    def in_processes(
        cls, load: Callable[[], Worker], num_workers: int
    ) -> "WorkerPool[Worker]":
        """Returns a pool of processes, which start with the first call.

        Each process is spawned, uses one thread of OpenCV and ends with its parent.

        Args:
          load: returns the worker, once in each process; picklable.
          num_workers: number of processes, at least 1.
        """
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(num_workers, context, _start_process, (load,))
        return cls(executor, _bind_in_process, NUM_AHEAD_PER_WORKER * num_workers)

    @classmethod
    def in_thread(cls, worker: Worker) -> "WorkerPool[Worker]":
        """Returns a pool of one thread of this process, with a loaded worker."""

        def bind(work: Callable) -> Callable:
            return functools.partial(work, worker)

        return cls(ThreadPoolExecutor(1), bind, NUM_AHEAD_PER_WORKER)

    def map(
        self, work: Callable[[Worker, Item], Made], items: Iterable[Item]
    ) -> Iterator[Made]:
        """Yields work(worker, item) of each item, in input order.

        At most `num_ahead` results are in progress or waiting. Several threads may call
        this, and several iterators may be open at once.

        Args:
          work: a function that can be pickled.
          items: read as results are used; picklable for processes.

        Raises:
          Exception: what `work` raises.
          BrokenProcessPool: a process died, or its worker could not be loaded.
        """
        return ordered_map(self.executor, self.bind(work), items, self.num_ahead)

    def __enter__(self) -> "WorkerPool[Worker]":
        return self

    def __exit__(self, *_: object) -> None:
        self.executor.shutdown(cancel_futures=True)


_loaded: Any = None  # the worker of this process


def _start_process(load: Callable[[], Any]) -> None:
    """Loads the worker of a new process."""
    global _loaded
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _loaded = load()


def _end_with_parent() -> None:
    """Ends this process when its parent is killed, which its executor would not."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _bind_in_process(work: Callable) -> Callable:
    """A picklable function of an item alone."""
    return functools.partial(_call, work)


def _call(work: Callable, item: Any) -> Any:
    """Applies a function to this process' worker and an item."""
    return work(_loaded, item)
