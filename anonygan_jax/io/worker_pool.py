"""Pool of processes that each load one worker, with results in input order."""

import functools
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from anonygan_jax.io.prefetch import ordered_map
from anonygan_jax.io.worker_process import DiedAtWork, WorkerDied, WorkerProcess

NUM_AHEAD_PER_WORKER = 8  # results in progress or waiting

Worker = TypeVar("Worker")
Item = TypeVar("Item")
Made = TypeVar("Made")


class WorkerPool(Generic[Worker]):
    """Processes, or one thread, that apply functions to a worker and items.

    A process that ends suddenly, or stands still (see `sign_of_life`), loses the item
    that it worked on alone: another one is started. Leaving a `with` block ends the
    pool: calls that have not begun are cancelled, and after an error processes are
    killed.

    Attributes:
      num_workers: processes, or 1.
      num_ahead: results in progress or waiting, at most.
    """

    def __init__(
        self, processes: list[WorkerProcess], here: Callable[..., Any] | None = None
    ) -> None:
        """Takes processes, or what calls a function of a worker in this process."""
        self._processes, self._here = processes, here
        self._idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        for process in processes:
            self._idle.put(process)
        self.num_workers = max(len(processes), 1)
        self._threads = ThreadPoolExecutor(self.num_workers)
        self.num_ahead = NUM_AHEAD_PER_WORKER * self.num_workers

    @classmethod
    def in_processes(
        cls, load: Callable[[], Worker], num_workers: int
    ) -> "WorkerPool[Worker]":
        """Returns a pool of processes, which start with the `with` block or first call.

        Each process is spawned, ignores Ctrl-C, and ends with its parent. Several use
        one thread of OpenCV each.

        Args:
          load: returns the worker, once in each process; picklable.
          num_workers: number of processes, at least 1.
        """
        return cls([WorkerProcess(load, num_workers > 1) for _ in range(num_workers)])

    @classmethod
    def in_thread(cls, worker: Worker) -> "WorkerPool[Worker]":
        """Returns a pool of one thread of this process, with a loaded worker."""
        return cls([], lambda work, item: work(worker, item))

    def map(
        self,
        work: Callable[[Worker, Item], Made],
        items: Iterable[Item],
        lost: Callable[[Item, WorkerDied], Made] | None = None,
        num_ahead: int | None = None,
    ) -> Iterator[Made]:
        """Yields work(worker, item) of each item, in input order.

        Several threads may call this, and several iterators may be open at once.

        Args:
          work: a function that can be pickled.
          items: read as results are used; picklable for processes.
          lost: returns what is yielded for an item during which the process died; None
            to raise.
          num_ahead: results in progress or waiting, at most; None for the pool's.

        Raises:
          Exception: what `work` or the loading of the worker raises.
          WorkerDied: a process died during an item and `lost` is None, or its worker
            could not be loaded.
        """
        call = functools.partial(self._call, work, lost)
        return ordered_map(self._threads, call, items, num_ahead or self.num_ahead)

    def kill(self) -> None:
        """Kills the processes: calls in progress are lost, later ones raise."""
        for process in self._processes:
            process.kill()

    def __enter__(self) -> "WorkerPool[Worker]":
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        if error is not None:
            self.kill()
        self._threads.shutdown()
        for process in self._processes:
            process.end()

    def _call(self, work: Callable, lost: Callable | None, item: Any) -> Any:
        """One item, in a process that is idle or in this thread."""
        if self._here is not None:
            return self._here(work, item)
        process = self._idle.get()
        try:
            return process(work, item)
        except DiedAtWork as error:
            if lost is None:
                raise
            return lost(item, error)
        finally:
            self._idle.put(process)
