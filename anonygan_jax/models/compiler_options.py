"""Options with which XLA compiles networks."""

import jax

# By default XLA 0.10 gives convolutions on CPUs to YNNPACK, which is slower with them
# than XLA's own; sums it makes faster (docs/PERFORMANCE.md).
_CPU: dict[str, str | bool] = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"
}


def compiler_options(platform: str | None = None) -> dict[str, str | bool] | None:
    """Returns options for `jax.jit` and `Lowered.compile`; None where XLA's are best.

    Args:
      platform: "cpu", "gpu" or "tpu"; None for that of this process.
    """
    return dict(_CPU) if (platform or jax.default_backend()) == "cpu" else None
