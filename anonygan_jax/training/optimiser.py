"""Adam and its schedule, one optimiser a network."""

import dataclasses
from collections.abc import Sequence

import optax

from anonygan_jax.data.ranges import check_ranges


@dataclasses.dataclass(frozen=True)
class OptimiserConfig:
    """Adam with a constant, then linearly falling rate.

    Attributes:
      generator_learning_rate: of the generator.
      discriminator_learning_rate: of all other networks.
      beta1, beta2: Adam's decay rates.
      num_steps: updates of the whole run.
      decay_from_step: the rate is constant until this step, then falls to 0.
      ema_decay: share of the old average that is kept at each step, 0 to 1.
      num_pretraining_steps: updates of the first stage, of systems that have two; they
        count in `num_steps`.
      num_microbatches: parts of a batch, one after the other, whose gradients are
        averaged: the memory of one part. Losses are those of the whole batch; each part
        has its own batch statistics and dropout.
    """

    generator_learning_rate: float
    discriminator_learning_rate: float
    beta1: float
    beta2: float
    num_steps: int
    decay_from_step: int
    ema_decay: float
    num_pretraining_steps: int = 0
    num_microbatches: int = 1

    def __post_init__(self) -> None:
        rates = ("generator_learning_rate", "discriminator_learning_rate")
        zeros = ("decay_from_step", "num_pretraining_steps")
        check_ranges(
            "optimiser",
            self,
            **dict.fromkeys((*rates, "ema_decay"), (0, 1)),
            **dict.fromkeys(("beta1", "beta2"), (0, 0.99999)),  # 1 divides by zero
            **dict.fromkeys(zeros, 0),
            num_steps=1,
            num_microbatches=1,
        )

    def schedule(self, learning_rate: float) -> optax.Schedule:
        """Returns the learning rate as a function of a network's own updates.

        Networks that are not pretrained have their first update after the pretraining.

        Args:
          learning_rate: before it falls.
        """
        num_decay_steps = max(self.num_steps - self.decay_from_step, 1)
        falling = optax.linear_schedule(learning_rate, 0.0, num_decay_steps)
        constant = optax.constant_schedule(learning_rate)
        begin = self.decay_from_step - self.num_pretraining_steps
        return optax.join_schedules([constant, falling], [begin])

    def learning_rates(self, step: int) -> dict[str, float]:
        """Returns the rates with which a step was made, by names for TensorBoard.

        Args:
          step: number of the step, from 1; no update before it was left out.
        """
        num_updates = max(step - 1 - self.num_pretraining_steps, 0)
        rates = {
            "generator": self.generator_learning_rate,
            "discriminator": self.discriminator_learning_rate,
        }
        return {
            f"learning_rate/{name}": float(self.schedule(rate)(num_updates))
            for name, rate in rates.items()
        }

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
