"""Batches of a run as global arrays on the devices."""

import concurrent.futures
import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from anonygan_jax.data.batches import BatchIndices, BatchLoader, PairBatch
from anonygan_jax.data.grain_data import grain_batches
from anonygan_jax.data.tf_data import tf_data_batches
from anonygan_jax.io.prefetch import ordered_map
from anonygan_jax.training import sharding

# Batches made while a step runs; a warped condition takes a core some milliseconds.
NUM_PREFETCHED = max(2, (os.cpu_count() or 2) // 2)
THREADS = "batches"  # name of the threads that make them
T = TypeVar("T")


def iterate_on_devices(
    batches: BatchLoader, start: int, stop: int, mesh: Mesh
) -> Generator[PairBatch]:
    """Yields the batches of steps `start` to `stop` - 1 as global arrays.

    While the devices compute a step, the next batch is made and transferred. With the
    loader "device" all faces are in the memory of every device, and only indices and
    landmarks are transferred. What makes batches ends with the generator.

    Args:
      batches: this process' rows.
      start, stop: steps, from 0.
      mesh: of the devices.
    """
    if batches.loader == "device":
        yield from _from_devices(batches, start, stop, mesh)
        return
    if batches.loader == "tf_data":
        made = tf_data_batches(batches, start, stop)
    elif batches.loader == "grain":
        made = grain_batches(batches, start, stop)
    else:
        made = _prefetch(batches.batch, start, stop)
    with contextlib.closing(made):
        for batch in made:
            yield sharding.to_devices(batch, mesh)


def _prefetch(make: Callable[[int], T], start: int, stop: int) -> Generator[T]:
    """`make` of each step, computed ahead by threads."""
    with concurrent.futures.ThreadPoolExecutor(NUM_PREFETCHED, THREADS) as pool:
        yield from ordered_map(pool, make, range(start, stop), NUM_PREFETCHED)


def _from_devices(
    batches: BatchLoader, start: int, stop: int, mesh: Mesh
) -> Iterator[PairBatch]:
    """Batches gathered from the faces in the devices' memory."""
    replicated = NamedSharding(mesh, PartitionSpec())
    faces = jax.device_put(batches.images(), replicated)

    def gather(faces: jax.Array, indices: BatchIndices) -> PairBatch:
        condition, source = faces[indices.condition], faces[indices.source]
        return PairBatch(**vars(indices) | {"condition": condition, "source": source})

    gather = jax.jit(gather, out_shardings=sharding.batch_sharding(mesh))
    with contextlib.closing(_prefetch(batches.indices_of, start, stop)) as made:
        for indices in made:
            yield gather(faces, sharding.to_devices(indices, mesh))
