"""Results that are computed before they are used, a bounded number of them."""

import collections
import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ordered_map(
    pool: Executor, make: Callable[[Item], Made], items: Iterable[Item], num_ahead: int
) -> Iterator[Made]:
    """Yields make(item) of each item, in input order.

    Args:
      pool: threads or processes that call `make`.
      make: the function; for processes it must be picklable.
      num_ahead: results in progress or waiting, at most.

    Raises:
      Exception: what `make` raises, in place of its result.
      BrokenProcessPool: a process of the pool died.
    """
    left = iter(items)
    waiting = collections.deque(
        pool.submit(make, item) for item in itertools.islice(left, num_ahead)
    )
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(make, item) for item in itertools.islice(left, 1))


def prefetch_in_thread(items: Iterable[Item], num_ahead: int) -> Iterator[Item]:
    """Yields the items of an iterable, which a second thread reads.

    When this generator is closed, the thread ends before it reads another item.

    Args:
      num_ahead: items that are read and not yet used, at most.

    Raises:
      Exception: what `items` raises.
    """
    waiting: queue.Queue[tuple[bool, object]] = queue.Queue(num_ahead)
    is_closed = threading.Event()

    def read() -> None:
        try:
            for item in items:
                if is_closed.is_set():
                    return
                waiting.put((True, item))
            waiting.put((False, None))
        except BaseException as error:  # raised again in the other thread
            waiting.put((False, error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield from _until_end(waiting)
    finally:
        is_closed.set()
        while thread.is_alive():  # the thread may wait for a free place in the queue
            with contextlib.suppress(queue.Empty):
                waiting.get(timeout=0.01)


def _until_end(waiting: queue.Queue[tuple[bool, object]]) -> Iterator:
    """Items of a queue up to its end mark; an error in the queue is raised."""
    while True:
        is_item, value = waiting.get()
        if is_item:
            yield value
        elif value is None:
            return
        else:
            raise value  # type: ignore[misc]
