"""Pairs per second of the input pipeline on one and on more cores, by loader.

    python -m benchmarks.input_speed --directory=data/celeba --need=1177
    python -m benchmarks.input_speed --directory=embedded --size=112,92

By default the paper's size and batch; no training runs beside it. --need is the number
of pairs per second that a machine trains (docs/SCALING.md). The loaders are timed in
turn on each number of cores, "grain" with a process a core. "CPU ms" is the time that
all cores spend on a pair: unlike pairs/s, other programs on the machine hardly change
it. "wanted" are the cores for 1.5 times the need, if each doubling of them has the
gain of the measured ones: a projection, not a measurement.
"""

import concurrent.futures
import math
import multiprocessing
import os
import statistics
import time
from typing import NamedTuple

import jax
from absl import app, flags

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import LOADERS, DataConfig, PairConfig
from anonygan_jax.training import sharding
from anonygan_jax.training.device_feed import iterate_on_devices

_DIRECTORY = flags.DEFINE_string("directory", "embedded", "Prepared faces.")
_SIZE = flags.DEFINE_list("size", ["220", "180"], "Height, width.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 64, "Pairs.")
_NUM_BATCHES = flags.DEFINE_integer("num_batches", 20, "Timed in each run.")
_RUNS = flags.DEFINE_integer("runs", 3, "Of each loader.")
_LOADERS = flags.DEFINE_list("loaders", list(LOADERS), "Which.")
_CORES = flags.DEFINE_list("cores", ["1", "2"], "Numbers of cores, from 1.")
_NEED = flags.DEFINE_float("need", 1177.0, "Pairs a second that a machine trains.")

MARGIN = 1.5  # times the need
NUM_WARM = 8  # batches a core, not timed: those that wait when a process starts late
MANY = 10**6  # steps: processes have work until the end


class Figures(NamedTuple):
    """Of one run: pairs a second, and CPU milliseconds a pair."""

    rate: float
    cpu_ms: float


def cpu_seconds() -> float:
    """CPU time of this process and its children."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def measure(config: DataConfig, num_batches: int) -> Figures:
    """One run on the cores that this process may use."""
    pairs = PairConfig(0.75, "same_identity", "other_identity", 2)
    fed = iterate_on_devices(BatchLoader(config, pairs), 0, MANY, sharding.make_mesh())
    for _ in range(NUM_WARM * len(os.sched_getaffinity(0))):
        jax.block_until_ready(next(fed))
    start, cpu = time.perf_counter(), cpu_seconds()
    for _ in range(num_batches):
        jax.block_until_ready(next(fed))
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    fed.close()
    count = num_batches * config.batch_size
    return Figures(count / seconds, 1000 * cpu / count)


def measure_on(num_cores: int, loader: str) -> Figures:
    """One run in a new process that has the first cores alone."""
    config = DataConfig(
        directory=_DIRECTORY.value,
        image_size=(int(_SIZE.value[0]), int(_SIZE.value[1])),
        batch_size=_BATCH_SIZE.value,
        loader=loader,
        seed=0,
        num_workers=num_cores,
    )
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(own)[:num_cores])  # what children begin with
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        figures = pool.submit(measure, config, _NUM_BATCHES.value).result()
    os.sched_setaffinity(0, own)
    return figures


def row(loader: str, num_cores: int, runs: list[Figures], one: float) -> str:
    """A line of the table; `one` is the rate on one core."""
    rates = [figures.rate for figures in runs]
    rate, need = statistics.median(rates), _NEED.value
    gain, wanted = rate / one, math.inf
    exponent = min(math.log(gain, num_cores), 1.0) if num_cores > 1 else 1.0
    if exponent > 0.1:  # else more cores are of no use
        wanted = math.ceil((MARGIN * need / one) ** (1 / exponent))
    return (
        f"| {loader} | {num_cores} | {rate:,.0f} [{min(rates):,.0f}, {max(rates):,.0f}]"
        f" | {statistics.median(figures.cpu_ms for figures in runs):.2f} "
        f"| {rate / need:.2f} | {gain:.2f} | {wanted} |"
    )


def main(_: list[str]) -> None:
    """Prints a row for each loader and number of cores."""
    cores = [int(number) for number in _CORES.value]
    keys = [(loader, number) for loader in _LOADERS.value for number in cores]
    found: dict[tuple[str, int], list[Figures]] = {key: [] for key in keys}
    for _run in range(_RUNS.value):
        for loader, number in keys:
            found[loader, number].append(measure_on(number, loader))
    print("| loader | cores | pairs/s | CPU ms | of the need | of one core | wanted |")
    print("|---|---|---|---|---|---|---|")
    for (loader, number), runs in found.items():
        one = statistics.median(figures.rate for figures in found[loader, cores[0]])
        print(row(loader, number, runs, one))


if __name__ == "__main__":
    app.run(main)
