"""Pairs per second of the input pipeline, by loader, and of a training step.

    python -m benchmarks.input_speed --directory=data/celeba --need=1177
    python -m benchmarks.input_speed --directory=embedded --size=112,92

By default the paper's size and batch; no training runs beside it. --need is the number
of pairs per second that a machine trains (docs/SCALING.md). A ratio below 1 means that
the pipeline is the limit on a host with these cores. The loaders are timed in turn.
"""

import os
import statistics
import time

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
_NEED = flags.DEFINE_float("need", 1177.0, "Pairs a second that a machine trains.")


def rate(batches: BatchLoader) -> float:
    """Pairs a second of one run, the first batch not counted."""
    mesh, count = sharding.make_mesh(), _NUM_BATCHES.value
    fed = iterate_on_devices(batches, 0, count + 1, mesh)
    jax.block_until_ready(next(fed))
    start = time.perf_counter()
    for batch in fed:
        jax.block_until_ready(batch)
    return count * _BATCH_SIZE.value / (time.perf_counter() - start)


def main(_: list[str]) -> None:
    """Prints a row for each loader."""
    pairs = PairConfig(0.75, "same_identity", "other_identity", 2)
    size = (int(_SIZE.value[0]), int(_SIZE.value[1]))
    sources = {
        loader: BatchLoader(
            DataConfig(_DIRECTORY.value, size, _BATCH_SIZE.value, loader, 0), pairs
        )
        for loader in _LOADERS.value
    }
    rates: dict[str, list[float]] = {loader: [] for loader in sources}
    for _run in range(_RUNS.value):
        for loader, batches in sources.items():
            rates[loader].append(rate(batches))
    print("| loader | pairs/s | of the need | cores for it |\n|---|---|---|---|")
    for loader, values in rates.items():
        middle = statistics.median(values)
        share, cores = middle / _NEED.value, len(os.sched_getaffinity(0))
        print(
            f"| {loader} | {middle:.0f} [{min(values):.0f}, {max(values):.0f}] | "
            f"{share:.2f} | {cores / share:.1f} |"
        )


if __name__ == "__main__":
    app.run(main)
