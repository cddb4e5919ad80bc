"""Adam and its schedule, one optimiser a network."""

import dataclasses
from collections.abc import Sequence

import optax


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
