"""Discriminators in training: what each is shown, what it says, and the ways back."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.heatmaps import Heatmaps, landmark_heatmaps
from anonygan_jax.models.images import image_size
from anonygan_jax.systems import losses
from anonygan_jax.systems.diff_augment import diff_augment
from anonygan_jax.systems.train_state import TrainState

DiscriminatorOutput = tuple[list[jax.Array], jax.Array]  # feature maps, logits


@flax.struct.dataclass
class DiscriminatorInput:
    """What a discriminator is shown.

    Attributes:
      image: float32 [B, H, W, 3], real or generated.
      partner: float32 [B, H, W, 3], a picture that it should agree with, or None.
      points_xy: float32 [B, K, 2], the pose that it should have, or None.
    """

    image: jax.Array
    condition: jax.Array | None = None
    points_xy: jax.Array | None = None


@dataclasses.dataclass(frozen=True)
class DiscriminatorResult:
    """What one discriminator said of real and fake pictures.

    Attributes:
      real, fake: feature maps and logits.
      image_pullback: what the fake ones' cotangents mean for the generated image.
      loss, grads: the discriminator's own.
      batch_stats: its running statistics after both.
      penalty: R1, or None.
    """

    real: DiscriminatorOutput
    fake: DiscriminatorOutput
    image_pullback: Callable[[DiscriminatorOutput], jax.Array]
    loss: jax.Array
    grads: Any
    batch_stats: Any
    penalty: jax.Array | None


class DiscriminatorUpdate:
    """One discriminator."""

    def __init__(
        self, name: str, model: ModelConfig, config: losses.LossConfig
    ) -> None:
        """Takes the name of its network in the state, and what it needs of a config."""
        self.name = name
        self._model, self._config = model, config
        self._network = model.discriminator()

    def init(
        self, rng: jax.Array, discriminator_input: DiscriminatorInput
    ) -> dict[str, Any]:
        """Returns its variables before the first step."""
        return dict(self._network.init(rng, *self._inputs(discriminator_input), False))

    def __call__(
        self,
        state: TrainState,
        real: DiscriminatorInput,
        output: jax.Array,
        rng: jax.Array,
    ) -> DiscriminatorResult:
        """Returns what it says of real pictures and, with the same partners, of output.

        It runs once on each, never on both together: it normalises by batch.
        """
        params, stats = state.params[self.name], state.batch_stats[self.name]
        keys = jax.random.split(rng)
        apply: Callable[..., Any] = functools.partial(
            self._apply, discriminator_input=real
        )
        seen, real_pullback, stats = jax.vjp(
            lambda p: apply(p, real.image, stats=stats, rng=keys[0]),
            params,
            has_aux=True,
        )
        apply_to_fake = functools.partial(apply, stats=stats, rng=keys[1])
        results, fake_pullback, stats = jax.vjp(
            apply_to_fake, params, output, has_aux=True
        )
        loss, (to_real, to_fake) = jax.value_and_grad(
            lambda r, f: losses.discriminator_loss(r, f, self._config.adversarial),
            argnums=(0, 1),
        )(seen[1], results[1])
        no_features = jax.tree.map(jnp.zeros_like, seen[0])
        (from_real,) = real_pullback((no_features, to_real))
        from_fake, _ = fake_pullback((no_features, to_fake))
        grads, penalty = jax.tree.map(jnp.add, from_real, from_fake), None
        if self._config.r1:
            penalty, more = jax.value_and_grad(self._penalty)(params, stats, real)
            grads = jax.tree.map(jnp.add, grads, more)

        def image_pullback(cotangent: DiscriminatorOutput) -> jax.Array:
            return fake_pullback(cotangent)[1]

        return DiscriminatorResult(
            seen, results, image_pullback, loss, grads, stats, penalty
        )

    def _apply(
        self,
        params: Any,
        image: jax.Array,
        discriminator_input: DiscriminatorInput,
        stats: Any,
        rng: jax.Array,
    ) -> tuple[DiscriminatorOutput, Any]:
        """What it says of an image in an exhibit, and the running statistics after."""
        discriminator_input = dataclasses.replace(discriminator_input, image=image)
        (features, logits), updates = self._network.apply(
            {"params": params, "batch_stats": stats},
            *self._inputs(self._changed(discriminator_input, rng)),
            True,
            mutable=["batch_stats"],
        )
        if self.name == "identity_discriminator":  # of whole faces, as in the release
            logits = logits.mean((1, 2), keepdims=True)
        return (features, logits), updates["batch_stats"]

    def _penalty(self, params: Any, stats: Any, real: DiscriminatorInput) -> jax.Array:
        """R1: half of gamma times the squared gradient at real pictures, unchanged.

        Source: Mescheder et al., "Which training methods for GANs do actually
        converge?", ICML 2018.
        """

        def total(image: jax.Array) -> jax.Array:
            inputs = self._inputs(dataclasses.replace(real, image=image))
            variables = {"params": params, "batch_stats": stats}
            (_, logits), _ = self._network.apply(
                variables, *inputs, True, mutable=["batch_stats"]
            )
            return logits.mean((1, 2, 3)).sum()

        slopes = jnp.square(jax.grad(total)(real.image))
        return self._config.r1 / 2 * slopes.sum((1, 2, 3)).mean()

    def _changed(
        self, discriminator_input: DiscriminatorInput, rng: jax.Array
    ) -> DiscriminatorInput:
        """What it is shown, changed as configured; the pose moves along."""
        policies = self._config.diff_augment
        image, points = diff_augment(
            discriminator_input.image, discriminator_input.points_xy, rng, policies
        )
        return dataclasses.replace(discriminator_input, image=image, points_xy=points)

    def _inputs(self, discriminator_input: DiscriminatorInput) -> tuple[Any, ...]:
        """The network's first two arguments."""
        condition: jax.Array | Heatmaps | None = discriminator_input.condition
        if discriminator_input.points_xy is not None:
            size = image_size(discriminator_input.image)
            grid = self._model.heatmap_grid
            condition = landmark_heatmaps(discriminator_input.points_xy, size, grid)
        return discriminator_input.image, condition
