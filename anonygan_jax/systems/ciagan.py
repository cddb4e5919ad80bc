"""CIAGAN: its networks and the gradients of one step.

Source and licence: see `models.ciagan`.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax import losses
from anonygan_jax.data.images import image_size, to_float
from anonygan_jax.data.landmark_drawing import landmark_drawing
from anonygan_jax.data.masks import face_mask
from anonygan_jax.data.pipeline import PairBatch
from anonygan_jax.models.ciagan import CiaganConfig
from anonygan_jax.models.siamese import Siamese
from anonygan_jax.systems.system import GENERATOR, Metrics
from anonygan_jax.train_state import TrainState

CRITIC, SIAMESE = "critic", "siamese"
Gradients = tuple[dict[str, Any], dict[str, Any], Metrics]


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
    drawing: jax.Array
    person: jax.Array
    same_identity: jax.Array

    @property
    def given(self) -> jax.Array:
        """What the generator sees of the source."""
        return jnp.concatenate([self.drawing, self.source * (1 - self.mask)], -1)

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source


class Ciagan:
    """Generator, critic and identity network; see `System`.

    The identity network is trained first and alone, on pairs of photos, then it rests
    and guides (`OptimiserConfig.pretrained`).
    """

    networks = (GENERATOR, CRITIC, SIAMESE)
    frozen: dict[str, Any]
    needs_prior = False

    def __init__(
        self,
        model: CiaganConfig,
        config: CiaganLossConfig,
        num_pretraining_steps: int,
    ) -> None:
        """Makes the networks.

        Args:
          model: their fields.
          config: weights of the losses.
          num_pretraining_steps: after which generator and critic begin.
        """
        self.config, self._num_pretraining_steps = config, num_pretraining_steps
        self.num_identities = model.num_identities
        self.generator, self._critic = model.generator(), model.critic()
        self._siamese = Siamese(model.num_identities, model.siamese_width)
        self.frozen = {}

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> variables before the first step."""
        portrait, keys = self.prepare(batch), jax.random.split(rng, 3)
        source, drawing = portrait.source, portrait.drawing
        given = (portrait.given, portrait.person)
        return {
            GENERATOR: self.generator.init(keys[0], *given, False),
            CRITIC: self._critic.init(keys[1], source, drawing, False),
            SIAMESE: self._siamese.init(keys[2], source, False),
        }

    def prepare(self, batch: PairBatch) -> Portrait:
        """Returns the networks' inputs; `Portrait.given` has no face."""
        condition, source = (
            (to_float(u8) + 1) / 2 for u8 in (batch.condition, batch.source)
        )
        size = image_size(source)
        return Portrait(
            condition=condition,
            source=source,
            mask=face_mask(batch.source_points_xy, size),
            drawing=landmark_drawing(batch.source_points_xy, size),
            person=jax.nn.one_hot(batch.condition_person, self.num_identities),
            same_identity=batch.same_identity,
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
        """Returns network -> gradients, network -> running statistics, loss terms.

        Of networks that rest the gradients are 0 and the statistics stay.
        """
        names = ("adversarial", "guidance", *self.networks)
        resting = (
            jax.tree.map(jnp.zeros_like, state.params),
            state.batch_stats,
            dict.fromkeys(names, jnp.zeros(())),
        )

        def filled(stage: Callable[[TrainState, Portrait], Gradients]):
            def work(state: TrainState, portrait: Portrait) -> Gradients:
                grads, stats, metrics = stage(state, portrait)
                return resting[0] | grads, resting[1] | stats, resting[2] | metrics

            return work

        pretraining = state.step < self._num_pretraining_steps
        stages = (filled(self._pretrain), filled(self._draw_and_judge))
        result: Gradients = jax.lax.cond(
            pretraining, *stages, state, self.prepare(batch)
        )
        return result

    def _pretrain(self, state: TrainState, portrait: Portrait) -> Gradients:
        """The identity network's, on two photos of one or of two people."""

        def loss(params):
            embeddings, stats = _train(
                self._siamese,
                params,
                state.batch_stats[SIAMESE],
                jnp.concatenate([portrait.source, portrait.condition]),
            )
            one, other = jnp.split(embeddings, 2)
            same, margin = portrait.same_identity, self.config.margin
            return losses.contrastive(one, other, same, margin), stats

        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(
            state.params[SIAMESE]
        )
        return {SIAMESE: grads}, {SIAMESE: stats}, {SIAMESE: value}

    def _draw_and_judge(self, state: TrainState, portrait: Portrait) -> Gradients:
        """Generator's and critic's, while the identity network guides."""
        stats, given = state.batch_stats, (portrait.given, portrait.person)
        output, pullback, drawn_stats = jax.vjp(
            lambda params: _train(self.generator, params, stats[GENERATOR], *given),
            state.params[GENERATOR],
            has_aux=True,
        )
        fake = portrait.composite(output)
        drawings = jnp.concatenate([portrait.drawing] * 2)
        logits, judged, judged_stats = jax.vjp(
            lambda params, fake: _train(
                self._critic,
                params,
                stats[CRITIC],
                jnp.concatenate([portrait.source, fake]),
                drawings,
            ),
            state.params[CRITIC],
            fake,
            has_aux=True,
        )
        told, to_logits = jax.value_and_grad(_telling_apart)(logits)
        fooled, to_fooled = jax.value_and_grad(_fooling)(logits)
        unlike, guided = jax.value_and_grad(self._guidance)(fake, state, portrait)
        weights = self.config
        to_fake = weights.adversarial * judged(to_fooled)[1] + weights.guidance * guided
        grads = {
            GENERATOR: pullback(portrait.mask * to_fake)[0],
            CRITIC: judged(to_logits)[0],
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
            jnp.asarray(self._siamese.apply(network, image, False))
            for image in (fake, portrait.condition)
        )
        everybody = jnp.ones(len(fake), bool)
        return losses.contrastive(drawn, wanted, everybody, self.config.margin)


def _train(
    network: nn.Module, params: Any, stats: Any, *inputs: jax.Array
) -> tuple[jax.Array, Any]:
    """What a network gives in training, and its running statistics."""
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
    return losses.discriminator(real, fake, losses.LSGAN)


def _fooling(logits: jax.Array) -> jax.Array:
    """The generator's."""
    return losses.fooling(jnp.split(logits, 2)[1], losses.LSGAN)
