"""Work done ahead of its use, a bounded amount."""

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


def in_order(
    pool: Executor, make: Callable[[Item], Made], items: Iterable[Item], num_ahead: int
) -> Iterator[Made]:
    """Yields make(item) for each item, in order.

    At most `num_ahead` results are under way or waiting, however slowly they are used.
    """
    left = iter(items)
    waiting = collections.deque(
        pool.submit(make, item) for item in itertools.islice(left, num_ahead)
    )
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(make, item) for item in itertools.islice(left, 1))


def in_thread(items: Iterable[Item], num_ahead: int) -> Iterator[Item]:
    """Yields items that another thread takes from an iterable, at most so many ahead.

    What the iterable raises is raised here. When this generator is closed, the thread
    ends before the iterable's next item.
    """
    waiting: queue.Queue[tuple[bool, object]] = queue.Queue(num_ahead)
    is_closed = threading.Event()

    def take() -> None:
        try:
            for item in items:
                if is_closed.is_set():
                    return
                waiting.put((True, item))
            waiting.put((False, None))
        except BaseException as error:  # raised again in the other thread
            waiting.put((False, error))

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        while True:
            is_item, value = waiting.get()
            if is_item:
                yield value  # type: ignore[misc]
            elif value is None:
                return
            else:
                raise value  # type: ignore[misc]
    finally:
        is_closed.set()
        while thread.is_alive():  # it may wait for room
            with contextlib.suppress(queue.Empty):
                waiting.get(timeout=0.01)
