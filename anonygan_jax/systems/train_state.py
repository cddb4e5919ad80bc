"""What training changes: arrays only, keyed by network."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax


@flax.struct.dataclass
class TrainState:
    """State of a run.

    Attributes:
      step: int32 scalar, updates done.
      params: network -> parameters.
      batch_stats: network -> running statistics.
      opt_state: network -> optimiser state.
      ema_params: exponential moving average of the generator's parameters.
      frozen: network -> variables that nothing changes; not in checkpoints.
    """

    step: jax.Array
    params: dict[str, Any]
    batch_stats: dict[str, Any]
    opt_state: dict[str, Any]
    ema_params: Any
    frozen: dict[str, Any] = flax.struct.field(default_factory=dict)

    def generator_variables(self) -> dict[str, Any]:
        """Returns the averaged generator, as it is used outside training."""
        return {"params": self.ema_params, "batch_stats": self.batch_stats["generator"]}


def create_train_state(
    variables: dict[str, Any],
    optimisers: dict[str, optax.GradientTransformation],
    frozen: dict[str, Any],
) -> TrainState:
    """Returns the state before the first step.

    Args:
      variables: network -> {"params", "batch_stats"}.
      optimisers: network -> optimiser.
      frozen: see `TrainState`.
    """
    params = {name: v["params"] for name, v in variables.items()}
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats={name: v["batch_stats"] for name, v in variables.items()},
        opt_state={name: optimisers[name].init(params[name]) for name in params},
        ema_params=jax.tree.map(jnp.copy, params["generator"]),
        frozen=frozen,
    )
