"""Functions timed in turn, so that a machine's slow minutes are shared by all."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax


def time_in_turn(
    functions: Mapping[str, Callable[[], Any]], runs: int
) -> dict[str, list[float]]:
    """Returns the seconds of each run of each function, after one that is not counted.

    Args:
      functions: may return arrays of JAX, which are waited for.
      runs: of each.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for run in range(runs + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            jax.block_until_ready(function())
            if run:
                times[name].append(time.perf_counter() - start)
    return times


def milliseconds(seconds: Sequence[float], count: int) -> str:
    """Returns minimum, median and maximum per image, of `count` images each."""
    each = [1e3 * s / count for s in seconds]
    spread = min(each), statistics.median(each), max(each)
    return " ".join(f"{value:9.1f}" for value in spread) + " ms per image"


def median_ratio(seconds: Sequence[float], others: Sequence[float]) -> float:
    """Returns the median over the turns of the first's time over the other's."""
    pairs = zip(seconds, others, strict=True)
    return statistics.median(one / other for one, other in pairs)
