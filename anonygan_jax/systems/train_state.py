"""State of a run: arrays only, keyed by network."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax


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


def create_train_state(
    variables: dict[str, Any],
    optimisers: dict[str, optax.GradientTransformation],
    frozen: dict[str, Any],
) -> TrainState:
    """Returns the state before the first step.

    Args:
      variables: network -> {"params"}, with "batch_stats" where it has any.
      optimisers: network -> optimiser.
      frozen: see `TrainState`.
    """
    params = {name: v["params"] for name, v in variables.items()}
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats={name: v.get("batch_stats", {}) for name, v in variables.items()},
        opt_state={name: optimisers[name].init(params[name]) for name in params},
        ema_params=jax.tree.map(jnp.copy, params["generator"]),
        frozen=frozen,
    )
