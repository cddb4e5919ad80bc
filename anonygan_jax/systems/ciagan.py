"""CIAGAN: its networks and the gradients of one step.

Source and licence: see `models.ciagan`.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.faces.masks import face_mask
from anonygan_jax.models.ciagan.generator import CiaganConfig, generator_input
from anonygan_jax.models.images import image_size, to_float
from anonygan_jax.systems import losses
from anonygan_jax.systems.system import GENERATOR, Gradients
from anonygan_jax.systems.train_state import TrainState

CRITIC, SIAMESE = "critic", "siamese"


@dataclasses.dataclass(frozen=True)
class CiaganLossConfig:
    """Weights of the terms; the adversarial one is LSGAN's.

    Attributes:
      adversarial: fooling the critic.
      guidance: looking like the wanted person to the identity network.
      margin: distance of embeddings beyond which different people may be.
    """

    adversarial: float = 1.0
    guidance: float = 1.0
    margin: float = 3.0


@flax.struct.dataclass
class Portrait:
    """A batch as the networks take it: floats in [0, 1]."""

    condition: jax.Array
    source: jax.Array
    mask: jax.Array
    given: jax.Array
    person: jax.Array

    @property
    def drawing(self) -> jax.Array:
        """The landmark drawing."""
        return self.given[..., :3]

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source


class Ciagan:
    """Generator and critic, guided by the identity network; see `System`.

    That one is trained before, see `identity_pretraining`, and rests now.
    """

    networks = (GENERATOR, CRITIC, SIAMESE)
    frozen: dict[str, Any]
    uses_warped_condition = False

    def __init__(self, model: CiaganConfig, config: CiaganLossConfig) -> None:
        """Makes the networks.

        Args:
          model: their fields.
          config: weights of the losses.
        """
        self.config, self.num_identities = config, model.num_identities
        self.generator, self._critic = model.generator(), model.critic()
        self.siamese, self.frozen = model.siamese(), {}

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> variables before the first step."""
        portrait, keys = self.prepare(batch), jax.random.split(rng, 3)
        source, drawing = portrait.source, portrait.drawing
        given = (portrait.given, portrait.person)
        return {
            GENERATOR: self.generator.init(keys[0], *given, False),
            CRITIC: self._critic.init(keys[1], source, drawing, False),
            SIAMESE: self.siamese.init(keys[2], source, False),
        }

    def prepare(self, batch: PairBatch) -> Portrait:
        """Returns the networks' inputs; `Portrait.given` has no face."""
        condition, source = (
            (to_float(u8) + 1) / 2 for u8 in (batch.condition, batch.source)
        )
        mask = face_mask(batch.source_points_xy, image_size(source))
        return Portrait(
            condition=condition,
            source=source,
            mask=mask,
            given=generator_input(source, mask, batch.source_points_xy),
            person=jax.nn.one_hot(batch.condition_person, self.num_identities),
        )

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, jax.Array]:
        """Returns condition, source, landmark drawing, output, composite."""
        portrait = self.prepare(batch)
        output = self.generator.apply(variables, portrait.given, portrait.person, False)
        assert isinstance(output, jax.Array)
        pictures = {
            "condition": portrait.condition,
            "source": portrait.source,
            "given": portrait.drawing,
            "output": output,
            "composite": portrait.composite(output),
        }
        return {name: 2 * picture - 1 for name, picture in pictures.items()}

    def gradients(
        self, state: TrainState, batch: PairBatch, _rng: jax.Array
    ) -> Gradients:
        """Returns the generator's and the critic's; see `System`."""
        portrait, stats = self.prepare(batch), state.batch_stats
        output, pullback, drawn_stats = jax.vjp(
            lambda params: train(
                self.generator,
                params,
                stats[GENERATOR],
                portrait.given,
                portrait.person,
            ),
            state.params[GENERATOR],
            has_aux=True,
        )
        fake = portrait.composite(output)
        logits, results, judged_stats = jax.vjp(
            lambda params, fake: train(
                self._critic,
                params,
                stats[CRITIC],
                jnp.concatenate([portrait.source, fake]),
                jnp.concatenate([portrait.drawing, portrait.drawing]),
            ),
            state.params[CRITIC],
            fake,
            has_aux=True,
        )
        told, to_logits = jax.value_and_grad(_telling_apart)(logits)
        fooled, to_fooled = jax.value_and_grad(_fooling)(logits)
        unlike, guided = jax.value_and_grad(self._guidance)(fake, state, portrait)
        weights = self.config
        to_fake = (
            weights.adversarial * results(to_fooled)[1] + weights.guidance * guided
        )
        grads = {
            GENERATOR: pullback(portrait.mask * to_fake)[0],
            CRITIC: results(to_logits)[0],
        }
        metrics = {
            "adversarial": fooled,
            "guidance": unlike,
            GENERATOR: weights.adversarial * fooled + weights.guidance * unlike,
            CRITIC: told,
        }
        return grads, {GENERATOR: drawn_stats, CRITIC: judged_stats}, metrics

    def _guidance(
        self, fake: jax.Array, state: TrainState, portrait: Portrait
    ) -> jax.Array:
        """How far the fake pictures are from photos of the people wanted."""
        network = {k: getattr(state, k)[SIAMESE] for k in ("params", "batch_stats")}
        drawn, wanted = (
            jnp.asarray(self.siamese.apply(network, image, False))
            for image in (fake, portrait.condition)
        )
        everybody = jnp.ones(len(fake), bool)
        return losses.contrastive(drawn, wanted, everybody, self.config.margin)


def train(
    network: nn.Module, params: Any, stats: Any, *inputs: jax.Array
) -> tuple[jax.Array, Any]:
    """Returns what a network gives in training, and its running statistics."""
    output, updates = network.apply(
        {"params": params, "batch_stats": stats},
        *inputs,
        train=True,
        mutable=["batch_stats"],
    )
    return output, updates["batch_stats"]


def _telling_apart(logits: jax.Array) -> jax.Array:
    """The critic's loss; the first half of the logits is of real pictures."""
    real, fake = jnp.split(logits, 2)
    return losses.discriminator_loss(real, fake, losses.LSGAN)


def _fooling(logits: jax.Array) -> jax.Array:
    """The generator's."""
    return losses.generator_adversarial_loss(jnp.split(logits, 2)[1], losses.LSGAN)
