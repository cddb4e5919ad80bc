"""Where arrays lie: a mesh of all devices, rules for batches and states.

The batch is split over all devices; losses and batch statistics are over the whole
batch all the same, as XLA adds what that needs. With `num_fsdp` above 1 large
parameters, and what belongs to them, are split over so many devices, too, instead of
being on each.
"""

import dataclasses
import logging
import math
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

logger = logging.getLogger(__name__)

DATA, FSDP = "data", "fsdp"
MIN_SIZE = 2**14  # numbers; smaller arrays are on every device


@dataclasses.dataclass(frozen=True)
class ShardingConfig:
    """How a run uses its devices.

    Attributes:
      num_fsdp: devices over which large parameters are split; 1 keeps them on each.
    """

    num_fsdp: int = 1


def make_mesh(num_fsdp: int = 1, devices: list[Any] | None = None) -> Mesh:
    """Returns a mesh [data, fsdp] of all devices of all processes.

    Args:
      num_fsdp: see `ShardingConfig`.
      devices: instead of all, in this order.

    Raises:
      ValueError: they cannot be divided so.
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


def check_batch_size(batch_size: int, mesh: Mesh) -> None:
    """Accepts batches that all devices can share.

    Raises:
      ValueError: the size is not a multiple of the number of devices.
    """
    if batch_size % mesh.size:
        raise ValueError(
            f"data.batch_size is {batch_size}, wanted a multiple of the number of "
            f"devices, {mesh.size}"
        )


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Returns where batches lie: their first axis over all devices."""
    return NamedSharding(mesh, PartitionSpec((DATA, FSDP)))


def state_shardings(state: Any, mesh: Mesh) -> Any:
    """Returns where each array of a state lies.

    Args:
      state: arrays or their shapes.
      mesh: from `make_mesh`.
    """
    num_fsdp = mesh.shape[FSDP]
    specs = jax.tree.map(lambda x: split_axis(x.shape, num_fsdp), state)
    whole = [x.shape for x in jax.tree.leaves(state) if math.prod(x.shape) >= MIN_SIZE]
    kept = sum(split_axis(shape, num_fsdp) == PartitionSpec() for shape in whole)
    if num_fsdp > 1 and kept:
        logger.info("%d of %d large arrays have no axis to split", kept, len(whole))
    return jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)


def split_axis(shape: tuple[int, ...], num_fsdp: int) -> PartitionSpec:
    """Returns the partition of an array: its longest axis that can be divided.

    Args:
      shape: of the array; small ones are not divided.
      num_fsdp: into how many parts.
    """
    able = [n for n, length in enumerate(shape) if length % num_fsdp == 0]
    if num_fsdp == 1 or math.prod(shape) < MIN_SIZE or not able:
        return PartitionSpec()
    longest = max(able, key=lambda n: (shape[n], n))
    return PartitionSpec(*(FSDP if n == longest else None for n in range(longest + 1)))


def partitionable(rng: jax.Array) -> jax.Array:
    """Returns a key whose draws each device makes for its own rows alone.

    XLA cannot split the generator behind "rbg" keys: every device would draw for the
    whole batch. Threefry's draws are also the same on any mesh.
    """
    data = jax.random.key_data(rng)[..., :2]
    return jax.random.wrap_key_data(data, impl="threefry2x32")


def to_devices(batch: Any, mesh: Mesh) -> Any:
    """Returns a batch of global arrays, of which each process gives its rows.

    Args:
      batch: numpy arrays [B / number of processes, ...].
      mesh: from `make_mesh`.
    """
    sharding = batch_sharding(mesh)
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), batch
    )


def local_rows(batch_size: int) -> slice:
    """Returns which rows of a batch this process makes."""
    share = batch_size // jax.process_count()
    first = jax.process_index() * share
    return slice(first, first + share)
