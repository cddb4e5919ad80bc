"""Work done ahead of its use, a bounded amount."""

import collections
import itertools
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
