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
      pretrained: a network that is trained alone in the first steps, while the others
        rest, and rests afterwards; "" for none.
      num_pretraining_steps: so many.
    """

    generator_learning_rate: float
    discriminator_learning_rate: float
    beta1: float
    beta2: float
    num_steps: int
    decay_from_step: int
    ema_decay: float
    num_accumulated: int = 1
    pretrained: str = ""
    num_pretraining_steps: int = 0

    def __post_init__(self) -> None:
        if bool(self.pretrained) != bool(self.num_pretraining_steps):
            raise ValueError(
                "optimiser.pretrained and optimiser.num_pretraining_steps go together"
            )

    def schedule(self, learning_rate: float) -> optax.Schedule:
        """Returns step -> learning rate."""
        num_decay_steps = max(self.num_steps - self.decay_from_step, 1)
        falling = optax.linear_schedule(learning_rate, 0.0, num_decay_steps)
        constant = optax.constant_schedule(learning_rate)
        return optax.join_schedules([constant, falling], [self.decay_from_step])

    def optimisers(
        self, networks: Sequence[str]
    ) -> dict[str, optax.GradientTransformation]:
        """Returns network -> optimiser; the generator comes first.

        Raises:
          ValueError: the one to pretrain is not among the networks.
        """
        if self.pretrained and self.pretrained not in networks[1:]:
            raise ValueError(
                f"optimiser.pretrained is {self.pretrained!r}, wanted one of "
                f"{', '.join(networks[1:])}"
            )
        rates = dict.fromkeys(networks, self.discriminator_learning_rate)
        rates[networks[0]] = self.generator_learning_rate
        return {name: self._optimiser(name, rate) for name, rate in rates.items()}

    def _optimiser(self, network: str, rate: float) -> optax.GradientTransformation:
        """Adam; at rest it does nothing and counts no steps."""
        schedule = self.schedule(rate)
        if not self.pretrained:
            return optax.adam(schedule, b1=self.beta1, b2=self.beta2)
        first = network == self.pretrained
        begin = 0 if first else self.num_pretraining_steps
        adam = optax.adam(
            lambda count: schedule(count + begin), b1=self.beta1, b2=self.beta2
        )
        return optax.conditionally_mask(
            adam, lambda step: (step < self.num_pretraining_steps) == first
        )


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
