"""What the training loop needs of a system; see `registry` for those there are."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

import jax
import ml_collections

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.train_state import TrainState

Metrics = dict[str, jax.Array]
# Network -> gradients, network -> running statistics, loss terms.
Gradients = tuple[dict[str, Any], dict[str, Any], Metrics]
GradientFunction = Callable[[TrainState, PairBatch, jax.Array], Gradients]
GENERATOR = "generator"  # the network that is averaged, exported and used


class System(Protocol):
    """Networks that are trained together.

    Attributes:
      model_kind: dataclass of the config's section `model`.
    """

    model_kind: ClassVar[type]

    @classmethod
    def from_config(cls, config: ml_collections.ConfigDict) -> "System":
        """Returns the system of a run's config.

        Raises:
          ValueError, TypeError: a field is unknown, missing or out of range, or a file
            of weights cannot be used.
        """

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the trained networks, the generator first."""

    @property
    def frozen(self) -> dict[str, Any]:
        """Name -> variables that a loss needs and training does not change."""

    @property
    def uses_warped_condition(self) -> bool:
        """Whether batches must have warped conditions."""

    def check_num_people(self, num_people: int) -> None:
        """Accepts a number of people in the training data.

        Raises:
          ValueError: there are more than the networks can represent.
        """

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> {"params", "batch_stats"} before the first step."""

    @property
    def pretraining_gradients(self) -> GradientFunction | None:
        """`gradients` of the first stage; None for a system of one stage."""

    def gradients(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> Gradients:
        """Returns network -> gradients, network -> running statistics, loss terms.

        All at the weights of `state`. A network that is not among them is not updated.

        Args:
          state: of the run.
          batch: pairs.
          rng: random key of the step.
        """

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, jax.Array]:
        """Returns images to look at, float32 [B, H, W, 3] in [-1, 1], by name.

        "composite" is among them: the sources with generated faces.

        Args:
          variables: of the generator.
          batch: pairs.
        """
