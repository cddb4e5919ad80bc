"""Loss terms of AnonyGAN; each returns a float32 scalar.

Source: paper section 3.3 and the official release, whose forms are kept.
"""

import dataclasses
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

FEATURE_LAYER_WEIGHT = 4 / 5  # weight of each of the five feature maps in the release
COARSE_CELL = 8  # pixels a side


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Weights of the generator's terms.

    Attributes:
      appearance: fooling the appearance discriminator.
      pose: fooling the pose discriminator.
      context_matching: weak feature matching (the paper's CM; 0 removes it).
      reconstruction: L1 to the source where condition and source are one person.
      closeness: coarse L1 to the warped prior in the other pairs (not in the paper).
    """

    appearance: float = 1.0
    pose: float = 1.0
    context_matching: float = 5.0
    reconstruction: float = 10.0
    closeness: float = 0.0


def adversarial(logits: jax.Array, real: bool) -> jax.Array:
    """Returns the mean binary cross-entropy of patch logits against one answer."""
    labels = jnp.full_like(logits, float(real))
    return optax.sigmoid_binary_cross_entropy(logits, labels).mean()


def discriminator(real_logits: jax.Array, fake_logits: jax.Array) -> jax.Array:
    """Returns a discriminator's loss: the mean over real and fake pairs."""
    return (adversarial(real_logits, True) + adversarial(fake_logits, False)) / 2


def context_matching(
    fake_features: Sequence[jax.Array], real_features: Sequence[jax.Array]
) -> jax.Array:
    """Returns the weighted sum over feature maps of their mean absolute difference.

    The real features are constants: only the fake ones are moved.
    """
    distances = [
        jnp.abs(fake - jax.lax.stop_gradient(real)).mean()
        for fake, real in zip(fake_features, real_features, strict=True)
    ]
    return FEATURE_LAYER_WEIGHT * sum(distances, jnp.zeros(()))


def reconstruction(
    output: jax.Array, source: jax.Array, mask: jax.Array, same_identity: jax.Array
) -> jax.Array:
    """Returns the mean absolute difference of composite and source.

    Args:
      output: float32 [B, H, W, 3], the generator's.
      source: float32 [B, H, W, 3].
      mask: float32 [B, H, W, 1], 1 where the composite shows the output.
      same_identity: bool [B]; only these samples count. Without any the loss is 0.
    """
    return _mean_where(jnp.abs(mask * (output - source)), same_identity)


def closeness(
    output: jax.Array, prior: jax.Array, same_identity: jax.Array
) -> jax.Array:
    """Returns the mean absolute difference of output and prior, both made coarse.

    Keeps whose face it is where no photo tells what to draw; details stay free.

    Args:
      output, prior: float32 [B, H, W, 3].
      same_identity: bool [B]; only the other samples count. Without any the loss is 0.
    """
    window = (COARSE_CELL, COARSE_CELL)
    coarse = nn.avg_pool(output - prior, window, window)
    return _mean_where(jnp.abs(coarse), ~same_identity)


def _mean_where(values: jax.Array, chosen: jax.Array) -> jax.Array:
    """Mean of [B, ...] over the chosen samples; 0 without any."""
    per_sample = values.mean(tuple(range(1, values.ndim)))
    weight = chosen.astype(per_sample.dtype)
    return jnp.sum(per_sample * weight) / jnp.maximum(weight.sum(), 1.0)
