"""What the training loop asks of a system; loop, state and checkpoints know no more."""

from typing import Any, Protocol

import jax

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.train_state import TrainState

Metrics = dict[str, jax.Array]
# Network -> gradients, network -> running statistics, loss terms.
Gradients = tuple[dict[str, Any], dict[str, Any], Metrics]
GENERATOR = "generator"  # the network that is averaged and used afterwards


class System(Protocol):
    """Networks that are trained together."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of what is trained, the generator first."""

    @property
    def frozen(self) -> dict[str, Any]:
        """Network -> variables of those that a loss asks and nothing changes."""

    @property
    def uses_warped_condition(self) -> bool:
        """Whether batches must have priors."""

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> {"params", "batch_stats"} before the first step."""

    def gradients(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> Gradients:
        """Returns network -> gradients, network -> running statistics, loss terms.

        All at the weights of `state`. A network that is not among them rests.
        """

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, jax.Array]:
        """Returns pictures to look at, float32 [B, H, W, 3] in [-1, 1], by name.

        "composite" among them: the sources with drawn faces.

        Args:
          variables: of the generator.
          batch: pairs.
        """
