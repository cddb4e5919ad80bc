"""Batches on their way to the devices."""

import concurrent.futures
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from anonygan_jax.data.batches import BatchIndices, BatchLoader, PairBatch
from anonygan_jax.data.tf_data import tf_data_batches
from anonygan_jax.io.prefetch import ordered_map
from anonygan_jax.training import sharding

# Batches made while the training step runs; priors take a core some milliseconds each.
NUM_AHEAD = max(2, (os.cpu_count() or 2) // 2)
T = TypeVar("T")


def iterate_on_devices(
    batches: BatchLoader, start: int, stop: int, mesh: Mesh
) -> Iterator[PairBatch]:
    """Yields the batches of steps `start` to `stop` - 1 as global arrays.

    While the devices compute a step the next batch is made and sent. With the loader
    "device" all faces lie in the memory of every device, and only their numbers and
    landmarks are sent.
    """
    loader = batches.loader
    if loader == "device":
        yield from _from_devices(batches, start, stop, mesh)
        return
    made = _ahead(batches.batch, start, stop)
    if loader == "tf_data":
        made = tf_data_batches(batches, start, stop)
    for batch in made:
        yield sharding.to_devices(batch, mesh)


def _ahead(make: Callable[[int], T], start: int, stop: int) -> Iterator[T]:
    """What is made of each step, by threads while the one before is used."""
    with concurrent.futures.ThreadPoolExecutor(NUM_AHEAD) as pool:
        yield from ordered_map(pool, make, range(start, stop), NUM_AHEAD)


def _from_devices(
    batches: BatchLoader, start: int, stop: int, mesh: Mesh
) -> Iterator[PairBatch]:
    """Batches gathered where they are used."""
    replicated = NamedSharding(mesh, PartitionSpec())
    faces = jax.device_put(batches.images(), replicated)

    def gather(faces: jax.Array, indices: BatchIndices) -> PairBatch:
        return PairBatch(
            condition=faces[indices.condition],
            source=faces[indices.source],
            condition_points_xy=indices.condition_points_xy,
            source_points_xy=indices.source_points_xy,
            is_supervised=indices.is_supervised,
            condition_person=indices.condition_person,
        )

    gather = jax.jit(gather, out_shardings=sharding.batch_sharding(mesh))
    for indices in _ahead(batches.indices_of, start, stop):
        yield gather(faces, sharding.to_devices(indices, mesh))
