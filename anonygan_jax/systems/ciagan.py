"""CIAGAN: its networks and the gradients of one step of each stage.

Source and licence: see `models.ciagan.generator`.
"""

import dataclasses
from typing import Any, ClassVar

import flax.linen as nn
import flax.struct
import jax
import jax.numpy as jnp
import ml_collections

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.models.ciagan.generator import CiaganConfig, generator_input
from anonygan_jax.models.face_mask import face_mask
from anonygan_jax.models.images import image_size, to_float
from anonygan_jax.systems import losses
from anonygan_jax.systems.pair import FacePair
from anonygan_jax.systems.system import GENERATOR, Gradients
from anonygan_jax.systems.train_state import TrainState

CRITIC, SIAMESE = "critic", "siamese"


@dataclasses.dataclass(frozen=True)
class CiaganLossConfig:
    """Weights of the loss terms.

    Attributes:
      adversarial: LSGAN's loss by the critic.
      guidance: contrastive loss by the identity network, of output and condition.
      margin: distance of embeddings beyond which pairs of two people cost nothing.
    """

    adversarial: float = 1.0
    guidance: float = 1.0
    margin: float = 3.0


@flax.struct.dataclass
class CiaganPair(FacePair):
    """CIAGAN's pairs; images are in 0..1.

    Attributes:
      given: float32 [B, H, W, 6], the generator's input: landmark drawing and masked
        source.
      identity: float32 [B, I], one-hot: the wanted people.
    """

    given: jax.Array
    identity: jax.Array

    @property
    def drawing(self) -> jax.Array:
        """The landmark drawing."""
        return self.given[..., :3]


class Ciagan:
    """Generator, critic and the identity network that guides them; see `System`.

    The first stage trains the identity network alone, the second one the others.
    """

    model_kind: ClassVar[type] = CiaganConfig
    networks = (GENERATOR, CRITIC, SIAMESE)
    frozen: dict[str, Any]
    uses_warped_condition = False

    def __init__(self, model: CiaganConfig, config: CiaganLossConfig) -> None:
        self._config, self._num_identities = config, model.num_identities
        self.generator, self.critic = model.generator(), model.critic()
        self.siamese, self.frozen = model.siamese(), {}

    @classmethod
    def from_config(cls, config: ml_collections.ConfigDict) -> "Ciagan":
        """See `System`."""
        model = CiaganConfig(**config.model)
        model.check_size(config.data.image_size)
        return cls(model, CiaganLossConfig(**config.losses))

    def check_num_people(self, num_people: int) -> None:
        """See `System`."""
        if num_people > self._num_identities:
            raise ValueError(
                f"there are {num_people} people to draw, but model.num_identities is "
                f"{self._num_identities}; raise it or pairs.min_photos_per_identity"
            )

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """See `System`."""
        pair, keys = self.prepare(batch), jax.random.split(rng, 3)
        return {
            GENERATOR: self.generator.init(keys[0], pair.given, pair.identity, False),
            CRITIC: self.critic.init(keys[1], pair.source, pair.drawing, False),
            SIAMESE: self.siamese.init(keys[2], pair.source, False),
        }

    def prepare(self, batch: PairBatch) -> CiaganPair:
        """Returns the networks' inputs; `CiaganPair.given` shows no face."""
        u8s = (batch.condition, batch.source)
        condition, source = ((to_float(u8) + 1) / 2 for u8 in u8s)
        mask = face_mask(batch.source_points_xy, image_size(source))
        return CiaganPair(
            condition=condition,
            source=source,
            mask=mask,
            given=generator_input(source, mask, batch.source_points_xy),
            identity=jax.nn.one_hot(batch.condition_person, self._num_identities),
        )

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, jax.Array]:
        """See `System`; "given" is the landmark drawing."""
        pair = self.prepare(batch)
        output = self.generator.apply(variables, pair.given, pair.identity, False)
        assert isinstance(output, jax.Array)
        pictures = {
            "condition": pair.condition,
            "source": pair.source,
            "given": pair.drawing,
            "output": output,
            "composite": pair.composite(output),
        }
        return {name: 2 * picture - 1 for name, picture in pictures.items()}

    def pretraining_gradients(
        self, state: TrainState, batch: PairBatch, _rng: jax.Array
    ) -> Gradients:
        """Returns the identity network's gradients; see `System`.

        Source: the contrastive loss of CIAGAN's release.
        """
        pair, margin = self.prepare(batch), self._config.margin
        photos = jnp.concatenate([pair.source, pair.condition])

        def loss(params):
            stats = state.batch_stats[SIAMESE]
            embeddings, stats = _apply_train(self.siamese, params, stats, photos)
            one, other = jnp.split(embeddings, 2)
            return losses.contrastive(one, other, batch.is_supervised, margin), stats

        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(
            state.params[SIAMESE]
        )
        return {SIAMESE: grads}, {SIAMESE: stats}, {SIAMESE: value}

    def gradients(
        self, state: TrainState, batch: PairBatch, _rng: jax.Array
    ) -> Gradients:
        """Returns the generator's and the critic's gradients; see `System`."""
        pair, stats, weights = self.prepare(batch), state.batch_stats, self._config
        output, pullback, generator_stats = jax.vjp(
            lambda params: _apply_train(
                self.generator, params, stats[GENERATOR], pair.given, pair.identity
            ),
            state.params[GENERATOR],
            has_aux=True,
        )
        fake = pair.composite(output)
        logits, critic_pullback, critic_stats = self._criticise(state, pair, fake)
        critic_loss, to_logits = jax.value_and_grad(_critic_loss)(logits)
        adversarial, to_fake_logits = jax.value_and_grad(_adversarial)(logits)
        guidance, guidance_grads = jax.value_and_grad(self._guidance)(fake, state, pair)
        _, adversarial_grads = critic_pullback(to_fake_logits)
        to_fake = (
            weights.adversarial * adversarial_grads + weights.guidance * guidance_grads
        )
        grads = {
            GENERATOR: pullback(pair.mask * to_fake)[0],
            CRITIC: critic_pullback(to_logits)[0],
        }
        metrics = {"adversarial": adversarial, "guidance": guidance}
        metrics[GENERATOR] = (
            weights.adversarial * adversarial + weights.guidance * guidance
        )
        metrics[CRITIC] = critic_loss
        return grads, {GENERATOR: generator_stats, CRITIC: critic_stats}, metrics

    def _criticise(self, state: TrainState, pair: CiaganPair, fake: jax.Array):
        """Logits of sources, then generated images; pullback; running statistics."""
        drawings = jnp.concatenate([pair.drawing, pair.drawing])

        def logits(params: Any, fake: jax.Array) -> tuple[jax.Array, Any]:
            images = jnp.concatenate([pair.source, fake])
            stats = state.batch_stats[CRITIC]
            return _apply_train(self.critic, params, stats, images, drawings)

        return jax.vjp(logits, state.params[CRITIC], fake, has_aux=True)

    def _guidance(
        self, fake: jax.Array, state: TrainState, pair: CiaganPair
    ) -> jax.Array:
        """Distance of the embeddings of generated images and of conditions."""
        network = {k: getattr(state, k)[SIAMESE] for k in ("params", "batch_stats")}
        one, other = (
            jnp.asarray(self.siamese.apply(network, image, False))
            for image in (fake, pair.condition)
        )
        same = jnp.ones(len(fake), bool)
        return losses.contrastive(one, other, same, self._config.margin)


def _apply_train(
    network: nn.Module, params: Any, stats: Any, *inputs: jax.Array
) -> tuple[jax.Array, Any]:
    """Output of a network in training, and its running statistics."""
    output, updates = network.apply(
        {"params": params, "batch_stats": stats},
        *inputs,
        train=True,
        mutable=["batch_stats"],
    )
    return output, updates["batch_stats"]


def _critic_loss(logits: jax.Array) -> jax.Array:
    """The first half of the logits is of real images."""
    return losses.least_squares_discriminator_loss(*jnp.split(logits, 2))


def _adversarial(logits: jax.Array) -> jax.Array:
    return losses.least_squares_generator_loss(jnp.split(logits, 2)[1])
