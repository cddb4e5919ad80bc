"""Results that are computed before they are used, a bounded number of them."""

import collections
import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ordered_map(
    pool: Executor, make: Callable[[Item], Made], items: Iterable[Item], num_ahead: int
) -> Iterator[Made]:
    """Yields make(item) of each item, in input order.

    Args:
      pool: threads that call `make`.
      num_ahead: results in progress or waiting, at most.

    Raises:
      Exception: what `make` raises, in place of its result.
    """
    left = iter(items)
    waiting = collections.deque(
        pool.submit(make, item) for item in itertools.islice(left, num_ahead)
    )
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(make, item) for item in itertools.islice(left, 1))


@contextlib.contextmanager
def prefetch_in_thread(items: Iterable[Item], num_ahead: int) -> Iterator[Iterator]:
    """Gives the items of an iterable, which a second thread reads ahead.

    The thread has ended when the block is left, whatever leaves it. So what is read may
    be closed after the block; closed earlier, a video is a segmentation fault. An
    interrupt that comes while the thread ends is raised afterwards.

    Args:
      items: a generator is closed when the block is left.
      num_ahead: items that are read and not yet used, at most.

    Raises:
      Exception: what `items` raises, at the place of the item.
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
    try:
        thread.start()
        yield _until_end(waiting)
    finally:
        is_closed.set()
        _join(thread, waiting)
        if isinstance(items, Generator):
            items.close()


def _join(thread: threading.Thread, waiting: queue.Queue) -> None:
    """Waits for the end of a thread that may wait for a free place in a queue."""
    interrupt = None
    while thread.is_alive():
        try:
            waiting.get(timeout=0.01)
        except queue.Empty:
            continue
        except KeyboardInterrupt as error:  # the thread still reads
            interrupt = error
    if interrupt:
        raise interrupt


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
