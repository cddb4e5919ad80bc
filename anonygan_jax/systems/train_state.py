"""State of a run: arrays only, keyed by network."""

from typing import Any

import flax.struct
import jax


@flax.struct.dataclass
class TrainState:
    """State of a run.

    Attributes:
      step: int32 scalar, number of updates so far.
      params: network -> parameters.
      batch_stats: network -> running statistics.
      opt_state: network -> optimiser state.
      ema_params: exponential moving average of the generator's parameters.
      frozen: name -> variables of the losses' embedders, constant; not in checkpoints.
    """

    step: jax.Array
    params: dict[str, Any]
    batch_stats: dict[str, Any]
    opt_state: dict[str, Any]
    ema_params: Any
    frozen: dict[str, Any] = flax.struct.field(default_factory=dict)

    def generator_variables(self) -> dict[str, Any]:
        """Returns {"params", "batch_stats"} of the averaged generator."""
        return {"params": self.ema_params, "batch_stats": self.batch_stats["generator"]}
