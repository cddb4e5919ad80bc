"""Shardings: a mesh of all devices, and rules for batches and states.

The batch is split over all devices. Losses and batch statistics are of the whole batch:
XLA adds the collectives for that. With `num_fsdp` above 1 large parameters, their
gradients and optimiser states are split over that many devices instead of replicated.
"""

import logging
import math
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

logger = logging.getLogger(__name__)

DATA, FSDP = "data", "fsdp"
MIN_SIZE = 2**14  # elements; smaller arrays are replicated


def make_mesh(num_fsdp: int = 1, devices: list[Any] | None = None) -> Mesh:
    """Returns a mesh [data, fsdp] of all devices of all processes.

    Args:
      num_fsdp: devices over which large parameters are split; 1 replicates them.
      devices: in this order; None for all.

    Raises:
      ValueError: the number of devices is not a multiple of `num_fsdp`.
    """
    num_devices = jax.device_count() if devices is None else len(devices)
    if num_fsdp < 1 or num_devices % num_fsdp:
        raise ValueError(
            f"sharding.num_fsdp is {num_fsdp}, wanted a divisor of the number of "
            f"devices, {num_devices}"
        )
    shape = (num_devices // num_fsdp, num_fsdp)
    auto = (AxisType.Auto,) * 2  # explicit axes break Linen's dropout
    if devices is None:
        return jax.make_mesh(shape, (DATA, FSDP), axis_types=auto)
    return Mesh(np.reshape(devices, shape), (DATA, FSDP), axis_types=auto)


def check_batch_size(batch_size: int, mesh: Mesh, num_microbatches: int = 1) -> None:
    """Accepts batches whose parts can be split over all devices.

    Raises:
      ValueError: the size is not a multiple of the number of devices and of parts.
    """
    if batch_size % (mesh.size * num_microbatches):
        raise ValueError(
            f"data.batch_size is {batch_size}, wanted a multiple of the number of "
            f"devices, {mesh.size}, times optimiser.num_microbatches, "
            f"{num_microbatches}"
        )


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Returns the sharding of batches: their first axis over all devices."""
    return NamedSharding(mesh, PartitionSpec((DATA, FSDP)))


def state_shardings(state: Any, mesh: Mesh) -> Any:
    """Returns the sharding of each array of a state, or of their shapes."""
    num_fsdp = mesh.shape[FSDP]
    specs = jax.tree.map(lambda x: split_axis(x.shape, num_fsdp), state)
    large = [x.shape for x in jax.tree.leaves(state) if math.prod(x.shape) >= MIN_SIZE]
    replicated = sum(split_axis(shape, num_fsdp) == PartitionSpec() for shape in large)
    if num_fsdp > 1 and replicated:
        logger.info("%d of %d large arrays cannot be split", replicated, len(large))
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)


def split_axis(shape: tuple[int, ...], num_fsdp: int) -> PartitionSpec:
    """Returns the partition of an array: its longest divisible axis is split.

    Args:
      shape: of the array; one of fewer than `MIN_SIZE` elements is replicated.
      num_fsdp: number of parts.
    """
    able = [n for n, length in enumerate(shape) if length % num_fsdp == 0]
    if num_fsdp == 1 or math.prod(shape) < MIN_SIZE or not able:
        return PartitionSpec()
    longest = max(able, key=lambda n: (shape[n], n))
    return PartitionSpec(*(FSDP if n == longest else None for n in range(longest + 1)))


def partitionable(rng: jax.Array) -> jax.Array:
    """Returns a threefry key, of whose samples each device computes its own rows alone.

    XLA cannot split the generator of "rbg" keys: every device would compute the samples
    of the whole batch. Threefry's samples are also the same on any mesh.

    """
    data = jax.random.key_data(rng)[..., :2]
    return jax.random.wrap_key_data(data, impl="threefry2x32")


def to_devices(batch: Any, mesh: Mesh) -> Any:
    """Returns a batch of global arrays.

    Args:
      batch: numpy arrays [B / number of processes, ...], the rows of this process.
      mesh: from `make_mesh`.
    """
    sharding = batch_sharding(mesh)
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), batch
    )


def local_rows(batch_size: int) -> slice:
    """Returns the rows that this process makes of a batch of all processes."""
    share = batch_size // jax.process_count()
    first = jax.process_index() * share
    return slice(first, first + share)
