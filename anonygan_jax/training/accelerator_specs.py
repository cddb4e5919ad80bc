"""Peak rates and memory of accelerators, from their makers' data sheets."""

import dataclasses

GIB = 2.0**30


@dataclasses.dataclass(frozen=True)
class Chip:
    """One kind of accelerator.

    Attributes:
      peak: FLOPs a second of dense matrix products in bfloat16.
      memory: bytes.
      bandwidth: of the memory, bytes a second.
    """

    peak: float
    memory: float
    bandwidth: float


CHIPS = {  # by JAX's `device_kind`
    "TPU v4": Chip(275e12, 32 * GIB, 1228e9),
    "TPU v5 lite": Chip(197e12, 16 * GIB, 819e9),
    "TPU v5": Chip(459e12, 95 * GIB, 2765e9),
    "TPU v6 lite": Chip(918e12, 32 * GIB, 1640e9),
    "NVIDIA A100-SXM4-40GB": Chip(312e12, 40 * GIB, 1555e9),
    "NVIDIA A100-SXM4-80GB": Chip(312e12, 80 * GIB, 2039e9),
    "NVIDIA H100 80GB HBM3": Chip(989e12, 80 * GIB, 3350e9),
    "NVIDIA H200": Chip(989e12, 141 * GIB, 4800e9),
}
