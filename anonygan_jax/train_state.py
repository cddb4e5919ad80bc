"""What training changes: arrays only, keyed by network."""

import dataclasses
from collections.abc import Sequence
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


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """Adam with a constant, then linearly falling rate.

    Attributes:
      generator_learning_rate: of the generator.
      discriminator_learning_rate: of all other networks.
      beta1, beta2: Adam's decay rates.
      num_steps: updates of the whole run.
      decay_from_step: the rate is constant until here, then falls to 0.
      ema_decay: share of the old average kept at each step.
      num_accumulated: parts of a batch whose gradients are computed one after the
        other and averaged.
      num_pretraining_steps: of those, the first, in which another part of the networks
        is trained than afterwards, by systems that have two stages.
    """

    generator_learning_rate: float
    discriminator_learning_rate: float
    beta1: float
    beta2: float
    num_steps: int
    decay_from_step: int
    ema_decay: float
    num_accumulated: int = 1
    num_pretraining_steps: int = 0

    def schedule(self, learning_rate: float) -> optax.Schedule:
        """Returns the learning rate as a function of a network's own updates.

        All networks but the pretrained ones begin after the pretraining.
        """
        num_decay_steps = max(self.num_steps - self.decay_from_step, 1)
        falling = optax.linear_schedule(learning_rate, 0.0, num_decay_steps)
        constant = optax.constant_schedule(learning_rate)
        begin = self.decay_from_step - self.num_pretraining_steps
        return optax.join_schedules([constant, falling], [begin])

    def optimisers(
        self, networks: Sequence[str]
    ) -> dict[str, optax.GradientTransformation]:
        """Returns network -> optimiser; the generator comes first."""
        rates = dict.fromkeys(networks, self.discriminator_learning_rate)
        rates[networks[0]] = self.generator_learning_rate
        return {
            name: optax.adam(self.schedule(rate), b1=self.beta1, b2=self.beta2)
            for name, rate in rates.items()
        }


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
