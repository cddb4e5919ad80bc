"""AnonyGAN's discriminators: their inputs, losses and gradients."""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.heatmaps import Heatmaps, landmark_heatmaps
from anonygan_jax.models.images import image_size
from anonygan_jax.systems import losses
from anonygan_jax.systems.pair import Pair
from anonygan_jax.systems.train_state import TrainState

DiscriminatorOutput = tuple[list[jax.Array], jax.Array]  # feature maps, logits


@flax.struct.dataclass
class DiscriminatorInput:
    """Inputs of a discriminator.

    Attributes:
      image: float32 [B, H, W, 3] in [-1, 1], real or generated.
      condition: float32 [B, H, W, 3], images whose identity it should have, or None.
      points_xy: float32 [B, K, 2], landmarks of the pose that it should have, or None.
    """

    image: jax.Array
    condition: jax.Array | None = None
    points_xy: jax.Array | None = None


@dataclasses.dataclass(frozen=True)
class DiscriminatorKind:
    """What makes one discriminator different from the others.

    Attributes:
      real_input: from pairs to the inputs with real images. With generated images the
        output takes the place of the image.
      is_whole_face: one logit for an image, the mean of those of its patches.
    """

    real_input: Callable[[Pair], DiscriminatorInput]
    is_whole_face: bool = False


def _source_and_condition(pair: Pair) -> DiscriminatorInput:
    return DiscriminatorInput(pair.source, condition=pair.condition)


DISCRIMINATORS = {  # what `model.discriminators` can have; all as in the release
    "appearance": DiscriminatorKind(_source_and_condition),
    "pose": DiscriminatorKind(
        lambda pair: DiscriminatorInput(pair.source, points_xy=pair.source_points_xy)
    ),
    "image": DiscriminatorKind(lambda pair: DiscriminatorInput(pair.condition)),
    "identity": DiscriminatorKind(_source_and_condition, is_whole_face=True),
}


@dataclasses.dataclass(frozen=True)
class DiscriminatorResult:
    """Outputs, loss and gradients of one discriminator on real and generated images.

    Attributes:
      real, fake: feature maps and logits.
      image_pullback: vector-Jacobian product of `fake` with respect to the generated
        images.
      loss, grads: of the discriminator itself.
      batch_stats: its running statistics after both.
    """

    real: DiscriminatorOutput
    fake: DiscriminatorOutput
    image_pullback: Callable[[DiscriminatorOutput], jax.Array]
    loss: jax.Array
    grads: Any
    batch_stats: Any


class DiscriminatorUpdate:
    """Forward and backward pass of one discriminator.

    Attributes:
      network: its Flax module.
      network_name: of the network in the state.
    """

    def __init__(self, name: str, model: ModelConfig) -> None:
        """Makes the network.

        Args:
          name: one of `DISCRIMINATORS`.
          model: fields of the networks.
        """
        self.network_name = f"{name}_discriminator"
        self._kind, self._grid = DISCRIMINATORS[name], model.heatmap_grid
        self.network = model.discriminator()

    def init(self, rng: jax.Array, pair: Pair) -> dict[str, Any]:
        """Returns the network's variables before the first step."""
        inputs = self._network_inputs(self._kind.real_input(pair))
        return dict(self.network.init(rng, *inputs, False))

    def __call__(
        self, state: TrainState, pair: Pair, output: Float[Array, "B H W 3"]
    ) -> DiscriminatorResult:
        """Returns what follows from the pairs and the generator's output.

        The network runs once on real and once on generated images, never on both
        together: its BatchNorm normalises by the batch.

        Args:
          state: of the run.
          pair: the real images, and conditions or poses of both.
          output: float32 [B, H, W, 3], the generated images.
        """
        inputs = self._kind.real_input(pair)
        params = state.params[self.network_name]
        stats = state.batch_stats[self.network_name]
        real, real_pullback, stats = jax.vjp(
            lambda p: self._apply(p, stats, inputs), params, has_aux=True
        )
        fake, fake_pullback, stats = jax.vjp(
            lambda p, image: self._apply(
                p, stats, dataclasses.replace(inputs, image=image)
            ),
            params,
            output,
            has_aux=True,
        )
        loss, (to_real, to_fake) = jax.value_and_grad(
            losses.discriminator_loss, argnums=(0, 1)
        )(real[1], fake[1])
        no_features = jax.tree.map(jnp.zeros_like, real[0])
        (from_real,) = real_pullback((no_features, to_real))
        from_fake, _ = fake_pullback((no_features, to_fake))
        grads = jax.tree.map(jnp.add, from_real, from_fake)

        def image_pullback(cotangent: DiscriminatorOutput) -> jax.Array:
            return fake_pullback(cotangent)[1]

        return DiscriminatorResult(real, fake, image_pullback, loss, grads, stats)

    def _apply(
        self, params: Any, stats: Any, inputs: DiscriminatorInput
    ) -> tuple[DiscriminatorOutput, Any]:
        """The network's output in training, and its running statistics after it."""
        (features, logits), updates = self.network.apply(
            {"params": params, "batch_stats": stats},
            *self._network_inputs(inputs),
            True,
            mutable=["batch_stats"],
        )
        if self._kind.is_whole_face:
            logits = logits.mean((1, 2), keepdims=True)
        return (features, logits), updates["batch_stats"]

    def _network_inputs(self, inputs: DiscriminatorInput) -> tuple[Any, ...]:
        """The network's first two arguments."""
        condition: jax.Array | Heatmaps | None = inputs.condition
        if inputs.points_xy is not None:
            size = image_size(inputs.image)
            condition = landmark_heatmaps(inputs.points_xy, size, self._grid)
        return inputs.image, condition
