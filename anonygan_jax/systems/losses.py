"""Loss functions; each returns a float32 scalar.

Source: paper section 3.3 and the official release, whose forms are kept.
Dimension letters: B batch, H W image, h w feature map, C channels.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float

Logits = Float[Array | np.ndarray, "B *P 1"]  # of patches or of whole images
Images = Float[Array | np.ndarray, "B H W 3"]
Embeddings = Float[Array | np.ndarray, "B C"]
Weights = Float[Array, " B"]
Samples = Bool[Array | np.ndarray, " B"]
Scalar = Float[Array, ""]

FEATURE_LAYER_WEIGHT = 4 / 5  # weight of each of the five feature maps in the release
COARSE_CELL = 8  # pixels a side


def generator_adversarial_loss(fake_logits: Logits) -> Scalar:
    """Returns the cross-entropy of generated images that should pass as real."""
    return _cross_entropy(fake_logits, 1.0)


def discriminator_loss(real_logits: Logits, fake_logits: Logits) -> Scalar:
    """Returns the mean of the cross-entropies of real and of generated images."""
    return (_cross_entropy(real_logits, 1.0) + _cross_entropy(fake_logits, 0.0)) / 2


def _cross_entropy(logits: Logits, label: float) -> Scalar:
    """Mean binary cross-entropy with one label."""
    labels = jnp.full_like(logits, label)
    return optax.sigmoid_binary_cross_entropy(logits, labels).mean()


def context_matching(
    fake_features: Sequence[Float[Array | np.ndarray, "B _ _ _"]],
    real_features: Sequence[Float[Array | np.ndarray, "B _ _ _"]],
    weight: Weights,
) -> Scalar:
    """Returns the weighted sum over feature maps of their mean absolute difference.

    The real features are constants: only the fake ones have a gradient.

    Args:
      fake_features, real_features: of each layer, float32 [B, h, w, C].
      weight: float32 [B], of the samples.
    """
    distances = [
        weighted_mean(jnp.abs(fake - jax.lax.stop_gradient(real)), weight)
        for fake, real in zip(fake_features, real_features, strict=True)
    ]
    return FEATURE_LAYER_WEIGHT * sum(distances, jnp.zeros(()))


def reconstruction(
    output: Images,
    source: Images,
    mask: Float[Array | np.ndarray, "B H W 1"],
    weight: Weights,
) -> Scalar:
    """Returns the mean absolute difference of composite and source.

    Args:
      output: float32 [B, H, W, 3], the generator's.
      mask: float32 [B, H, W, 1], 1 where the composite shows the output.
      weight: float32 [B], of `share_weights`: only supervised samples count.
    """
    return weighted_mean(jnp.abs(mask * (output - source)), weight)


def low_frequency_l1(
    output: Images, warped_condition: Images, weight: Weights
) -> Scalar:
    """Returns the mean absolute difference of output and warped condition, both coarse.

    It keeps the condition's identity where no photo is the target; details are free.

    Args:
      weight: float32 [B], of `share_weights`: only the other samples count.
    """
    window = (COARSE_CELL, COARSE_CELL)
    coarse = nn.avg_pool(output - warped_condition, window, window)
    return weighted_mean(jnp.abs(coarse), weight)


def cosine_distance(one: Embeddings, other: Embeddings) -> Scalar:
    """Returns the mean of 1 - cosine of embeddings, float32 [B, C] each."""
    return (1 - optax.cosine_similarity(one, other)).mean()


def identity_leak(
    composite: Embeddings,
    warped_condition: Embeddings,
    source: Embeddings,
    weight: Weights,
) -> Scalar:
    """Returns the mean of how much nearer to the source the composite's descriptor is.

    Nearer than that of the warped condition. Surroundings and landmarks show a network
    who the source is; the output must not resemble that person more because of it.

    Args:
      composite, warped_condition, source: float32 [B, C], descriptors; the last two
        are constants.
      weight: float32 [B], of `share_weights`: only the other samples count.
    """
    warped_condition, source = jax.lax.stop_gradient((warped_condition, source))
    allowed, distance = (
        jnp.linalg.norm(x - source, axis=-1) for x in (warped_condition, composite)
    )
    return weighted_mean(nn.relu(allowed - distance), weight)


def share_weights(mask: Samples, share: Float[Array, "*B"]) -> Weights:
    """Returns weights that make `weighted_mean` the mean over the samples of a mask.

    Over several parts of a batch the mean of the parts' means is that of the whole
    batch, however unevenly the mask is spread over them.

    Args:
      mask: bool [B].
      share: of the masked samples in the whole batch, 0 to 1. If it is 0, so are the
        weights and the mean.
    """
    return jnp.where(mask, 1 / jnp.maximum(share, 1e-9), 0.0)


def weighted_mean(
    values: Float[Array | np.ndarray, "B ..."], weight: Weights
) -> Scalar:
    """Returns the mean over all samples of each one's mean times its weight [B]."""
    return (_per_sample(values) * weight).mean()


def _per_sample(values: Float[Array | np.ndarray, "B ..."]) -> Float[Array, " B"]:
    """Mean of each sample of [B, ...]."""
    return values.mean(tuple(range(1, values.ndim)))


def least_squares_generator_loss(fake_logits: Logits) -> Scalar:
    """Returns CIAGAN's `generator_adversarial_loss`.

    Source: Mao et al., "Least squares generative adversarial networks", ICCV 2017.
    """
    return jnp.square(fake_logits - 1).mean()


def least_squares_discriminator_loss(
    real_logits: Logits, fake_logits: Logits
) -> Scalar:
    """Returns CIAGAN's `discriminator_loss`."""
    return (jnp.square(real_logits - 1).mean() + jnp.square(fake_logits).mean()) / 2


def contrastive(
    one: Embeddings, other: Embeddings, same: Samples, margin: float
) -> Scalar:
    """Returns the mean of squared distances, or of what they lack of a margin, squared.

    Args:
      one, other: float32 [B, C], embeddings.
      same: bool [B], pairs of one person: the distance counts. Of the others the
        difference to the margin counts.
      margin: distance beyond which pairs of two people cost nothing.

    Source: Hadsell et al., "Dimensionality reduction by learning an invariant
    mapping", CVPR 2006; its factor of 1/2 is left out, as in CIAGAN's release.
    """
    # The square root has no gradient at 0.
    distance = jnp.sqrt(jnp.square(one - other).sum(-1) + 1e-12)
    lack = jnp.maximum(margin - distance, 0)
    return jnp.square(jnp.where(same, distance, lack)).mean()
