"""Compiles the training step for TPUs without having one, and prints its cost.

    pip install '.[tpu]'
    python -m launch.aot_tpu --config=configs/celeba.py:paper \\
        --topology v5e:2x4,v5p:2x2x2,v4:2x2x1,v6e:4x4 --per_chip 8

Needs libtpu, no TPU. For each topology: the memory of a device (a chip, or a core of
v4) that the step takes (arguments, temporaries, code) and that there is, FLOPs and
bytes, XLA's estimate of the seconds, the pairs a second and the share of the peak that
follow from it. Collectives are counted in the compiled program, with their bytes. With
--operations, XLA's estimate of the cycles of each layer.
"""

import dataclasses
import os
import sys
from typing import Any

# Before JAX is imported, which would search for a TPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")  # compiling shares no chip

import jax
import ml_collections
import numpy as np
from absl import app, flags
from jax.experimental import topologies
from ml_collections import config_flags

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.io import extras
from anonygan_jax.training import factory, sharding
from anonygan_jax.training.accelerator_specs import CHIPS, GIB
from launch.compiled_program import collectives, operations

_CONFIG = config_flags.DEFINE_config_file("config", None, "Experiment.")
_TOPOLOGY = flags.DEFINE_list(
    "topology", ["v5e:2x2"], "KIND:SHAPE each, as v5e:2x4 or v5p:2x2x2."
)
_OPERATIONS = flags.DEFINE_integer(
    "operations", 0, "After the table so many layers, the longest first."
)
_PER_CHIP = flags.DEFINE_integer("per_chip", 8, "Pairs a chip; 0: the config's batch.")


KINDS = {  # of a topology -> JAX's `device_kind`
    "v4": "TPU v4",
    "v5e": "TPU v5 lite",
    "v5p": "TPU v5",
    "v6e": "TPU v6 lite",
}
CORES = {"v4": 2}  # devices that share a chip; the topology's description has no others


@dataclasses.dataclass(frozen=True)
class Cost:
    """Cost of a step on one device.

    Attributes:
      arguments, temporaries, code: bytes.
      flops, bytes_accessed, seconds: XLA's estimates; NaN where it gives none.
      collectives: kind -> (count, bytes).
    """

    arguments: float
    temporaries: float
    code: float
    flops: float
    bytes_accessed: float
    seconds: float
    collectives: dict[str, tuple[int, float]]


def compile_step(
    config: ml_collections.ConfigDict, topology: str, batch_size: int
) -> Any:
    """Returns the compiled step of a config for "KIND:SHAPE".

    Raises:
      ValueError: the topology is unknown, or the batch cannot be divided.
    """
    kind = topology.partition(":")[0]
    if kind not in KINDS:
        raise ValueError(f"topology {topology!r}: wanted one of {', '.join(KINDS)}")
    described = topologies.get_topology_desc(platform="tpu", topology_name=topology)
    mesh = sharding.make_mesh(config.sharding.num_fsdp, list(described.devices))
    sharding.check_batch_size(batch_size, mesh)
    train_step = factory.make_train_step(config)
    batch = abstract_batch(config, batch_size)
    key = jax.random.key(0, impl=factory.RNG_IMPL)
    state = jax.eval_shape(train_step.init, key, batch)
    shardings = sharding.state_shardings(state, mesh)
    place = lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s)  # noqa: E731
    state = jax.tree.map(place, state, shardings)
    rows = sharding.batch_sharding(mesh)
    batch = jax.tree.map(lambda x: place(x, rows), batch)
    return factory.compile_step(train_step, key, state, batch)


def abstract_batch(config: ml_collections.ConfigDict, batch_size: int) -> PairBatch:
    """Returns the shapes of a batch."""
    image = jax.ShapeDtypeStruct((batch_size, *config.data.image_size, 3), np.uint8)
    points = jax.ShapeDtypeStruct((batch_size, NUM_LANDMARKS, 2), np.float32)
    same = jax.ShapeDtypeStruct((batch_size,), np.bool_)
    person = jax.ShapeDtypeStruct((batch_size,), np.int32)
    warped_condition = image if config.model.get("uses_warped_condition") else None
    return PairBatch(image, image, points, points, same, person, warped_condition)


def cost_of(compiled: Any) -> Cost:
    """Returns the cost of a compiled step, by XLA."""
    memory, estimate = compiled.memory_analysis(), compiled.cost_analysis()
    return Cost(
        arguments=memory.argument_size_in_bytes,
        temporaries=memory.temp_size_in_bytes,
        code=memory.generated_code_size_in_bytes,
        flops=estimate.get("flops", float("nan")),
        bytes_accessed=estimate.get("bytes accessed", float("nan")),
        seconds=without_unknown(estimate.get("optimal_seconds", float("nan"))),
        collectives=collectives(compiled.as_text()),
    )


def without_unknown(seconds: float) -> float:
    """Returns XLA's estimate without the -1 second that it counts for some operations.

    Those are custom calls that only change the shapes of arrays ("ConcatBitcast"). The
    result is correct for steps of less than a second.
    """
    return seconds % 1.0 if seconds < 0 else seconds


def line(topology: str, batch_size: int, cost: Cost) -> str:
    """Returns a row of the table."""
    kind = topology.partition(":")[0]
    chip, num_cores = CHIPS[KINDS[kind]], CORES.get(kind, 1)
    memory = chip.memory / num_cores / GIB
    needed = cost.arguments + cost.temporaries + cost.code
    share = cost.flops / cost.seconds * num_cores / chip.peak
    carried = ", ".join(
        f"{count} {kind} {total / 2**20:.0f} MiB"
        for kind, (count, total) in sorted(cost.collectives.items())
    )
    parts = (cost.arguments, cost.temporaries, cost.code)
    return (
        f"| {topology} | {batch_size} | {needed / GIB:.2f} of {memory:.0f} ("
        f"{' + '.join(f'{part / GIB:.2f}' for part in parts)}) | "
        f"{cost.flops / 1e12:.2f} | {cost.bytes_accessed / 1e9:.1f} | "
        f"{1000 * cost.seconds:.1f} | {batch_size / cost.seconds:.0f} | {share:.0%} | "
        f"{carried or 'none'} |"
    )


def table_of_operations(program: str) -> str:
    """Returns a table of the layers, and the cycles of all operations."""
    found = operations(program)
    rows = [
        f"| {x.layer} | {'products' if x.has_products else 'others'} | {x.count} | "
        f"{x.cycles / 1e6:.2f} | {x.num_bytes / 1e6:.0f} |"
        for x in found[: _OPERATIONS.value]
    ]
    total = sum(x.cycles for x in found) / 1e6
    head = "| layer | what | operations | million cycles | MB |\n|---|---|---|---|---|"
    return "\n".join([head, *rows, f"All operations: {total:.1f} million cycles."])


def main(_: list[str]) -> None:
    """Prints a table."""
    try:
        extras.require("launch.aot_tpu", "tpu", "libtpu")
    except extras.MissingPackage as error:
        sys.exit(f"error: {error}")
    print(
        "| topology | pairs | GiB a device (arguments + temporaries + code) | TFLOP | "
        "GB | ms, XLA's estimate | pairs/s | of peak | collectives |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    config = _CONFIG.value
    for topology in _TOPOLOGY.value:
        num_chips = int(np.prod([int(n) for n in topology.split(":")[1].split("x")]))
        batch_size = _PER_CHIP.value * num_chips or config.data.batch_size
        compiled = compile_step(config, topology, batch_size)
        print(line(topology, batch_size, cost_of(compiled)), flush=True)
        if _OPERATIONS.value:
            print(table_of_operations(compiled.as_text()), flush=True)


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main)
