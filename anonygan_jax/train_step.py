"""One joint update of generator and discriminators, as a pure function."""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax

from anonygan_jax import losses
from anonygan_jax.data.augmentation import UNCHANGED, AugmentationConfig, augment
from anonygan_jax.data.heatmaps import Heatmaps, landmark_heatmaps
from anonygan_jax.data.images import image_size, to_float
from anonygan_jax.data.masks import face_mask
from anonygan_jax.data.pipeline import PairBatch
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.train_state import TrainState, create_train_state

Metrics = dict[str, jax.Array]


@flax.struct.dataclass
class Pair:
    """A batch as the networks take it: floats in [-1, 1], mask, chosen landmarks."""

    condition: jax.Array
    source: jax.Array
    mask: jax.Array
    context: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    prior: jax.Array | None = None

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source


class AnonyGAN:
    """The system that is trained: its networks and what one step does with them."""

    def __init__(
        self,
        model: ModelConfig,
        weights: losses.LossWeights,
        optimisers: dict[str, optax.GradientTransformation],
        ema_decay: float,
        num_accumulated: int = 1,
        augmentation: AugmentationConfig = UNCHANGED,
    ) -> None:
        self.model = model
        self.weights = weights
        self.optimisers = optimisers
        self.ema_decay = ema_decay
        self.num_accumulated = num_accumulated
        self.augmentation = augmentation
        self.generator = model.generator()
        self.discriminator = model.discriminator()

    def init(self, rng: jax.Array, batch: PairBatch) -> TrainState:
        """Returns the state before the first step."""
        pair = self.prepare(batch)
        keys = jax.random.split(rng, 3)
        variables = {
            "generator": self.generator.init(keys[0], *_generator_inputs(pair)),
            "appearance_discriminator": self.discriminator.init(
                keys[1], pair.source, pair.condition, False
            ),
            "pose_discriminator": self.discriminator.init(
                keys[2], pair.source, self._heatmaps(pair), False
            ),
        }
        return create_train_state(variables, self.optimisers)

    def prepare(self, batch: PairBatch) -> Pair:
        """Returns the networks' inputs; the source's face is gone from `context`."""
        condition, source = (to_float(u8) for u8 in (batch.condition, batch.source))
        mask = face_mask(batch.source_points_xy, image_size(source))
        return Pair(
            condition=condition,
            source=source,
            mask=mask,
            context=source * (1 - mask),
            condition_points_xy=self.model.select_points(batch.condition_points_xy),
            source_points_xy=self.model.select_points(batch.source_points_xy),
            prior=None if batch.prior is None else to_float(batch.prior),
        )

    def generate(self, variables: dict[str, Any], pair: Pair) -> jax.Array:
        """Returns the anonymised faces, float32 [B, H, W, 3] in [-1, 1]."""
        output = self.generator.apply(variables, *_generator_inputs(pair))
        assert isinstance(output, jax.Array)
        return output

    def step(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> tuple[TrainState, Metrics]:
        """Returns the state after one update of all networks, and the loss terms.

        The generator runs forward once, each discriminator once on real and once on
        fake pairs (never concatenated: they normalise by batch), and all gradients are
        taken at the weights from before the step.
        """
        to_augment, rng = jax.random.split(rng)
        batch = augment(batch, to_augment, self.augmentation)
        grads, batch_stats, metrics = self._accumulate(state, batch, rng)
        params, opt_state = {}, {}
        for name, optimiser in self.optimisers.items():
            updates, opt_state[name] = optimiser.update(
                grads[name], state.opt_state[name], state.params[name]
            )
            params[name] = optax.apply_updates(state.params[name], updates)
        ema_params = optax.incremental_update(
            params["generator"], state.ema_params, 1 - self.ema_decay
        )
        step = state.step + 1
        return TrainState(step, params, batch_stats, opt_state, ema_params), metrics

    def _accumulate(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> tuple[dict[str, Any], dict[str, Any], Metrics]:
        """As `gradients`, in parts of the batch one after the other: less memory.

        Batch statistics are then those of the parts.
        """
        count = self.num_accumulated
        if count == 1:
            return self.gradients(state, batch, rng)
        # Every count-th row: a device's rows are in all parts.
        parts = jax.tree.map(
            lambda x: x.reshape(-1, count, *x.shape[1:]).swapaxes(0, 1), batch
        )

        def add(carry, part):
            number, stats, *sums = carry
            now = dataclasses.replace(state, batch_stats=stats)
            key = jax.random.fold_in(rng, number)
            grads, stats, metrics = self.gradients(now, part, key)
            sums = jax.tree.map(lambda a, b: a + b / count, sums, [grads, metrics])
            return (number + 1, stats, *sums), None

        first = jax.tree.map(lambda x: x[0], parts)
        shapes = jax.eval_shape(self.gradients, state, first, rng)
        zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        start = (jnp.zeros((), jnp.int32), state.batch_stats, zeros[0], zeros[2])
        (_, stats, grads, metrics), _ = jax.lax.scan(add, start, parts)
        return grads, stats, metrics

    def gradients(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> tuple[dict[str, Any], dict[str, Any], Metrics]:
        """Returns network -> gradients, network -> running statistics, loss terms."""
        pair = self.prepare(batch)
        output, generator_pullback, generator_stats = jax.vjp(
            lambda params: self._generate_train(params, state, pair, rng),
            state.params["generator"],
            has_aux=True,
        )
        appearance = self._judge(
            state, "appearance_discriminator", pair.source, output, pair.condition
        )
        pose = self._judge(
            state, "pose_discriminator", pair.source, output, self._heatmaps(pair)
        )

        def generator_loss(image, fake_appearance, fake_pose):
            return self._generator_loss(
                image, fake_appearance, fake_pose, appearance.real, pair, batch
            )

        (total, metrics), (to_image, to_appearance, to_pose) = jax.value_and_grad(
            generator_loss, argnums=(0, 1, 2), has_aux=True
        )(output, appearance.fake, pose.fake)
        to_image += appearance.image_pullback(to_appearance)
        to_image += pose.image_pullback(to_pose)
        grads = {"generator": generator_pullback(to_image)[0]}
        batch_stats = {"generator": generator_stats}
        for name, judged in (
            ("appearance_discriminator", appearance),
            ("pose_discriminator", pose),
        ):
            metrics[name], grads[name] = judged.loss_and_gradients()
            batch_stats[name] = judged.batch_stats
        return grads, batch_stats, metrics | {"generator": total}

    def _generator_loss(
        self, image, fake_appearance, fake_pose, real_appearance, pair, batch
    ) -> tuple[jax.Array, Metrics]:
        """Weighted sum of the generator's terms, and the terms."""
        terms = {
            "appearance": losses.adversarial(fake_appearance[1], True),
            "pose": losses.adversarial(fake_pose[1], True),
            "context_matching": losses.context_matching(
                fake_appearance[0], real_appearance[0]
            ),
            "reconstruction": losses.reconstruction(
                image, pair.source, pair.mask, batch.same_identity
            ),
        }
        if pair.prior is not None:
            terms["closeness"] = losses.closeness(
                image, pair.prior, batch.same_identity
            )
        weights = dataclasses.asdict(self.weights)
        return sum(weights[name] * terms[name] for name in terms), terms

    def _generate_train(self, params, state: TrainState, pair: Pair, rng: jax.Array):
        """Output of the generator in training, and its running statistics."""
        output, updates = self.generator.apply(
            {"params": params, "batch_stats": state.batch_stats["generator"]},
            *_generator_inputs(pair),
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": rng},
        )
        return output, updates["batch_stats"]

    def _judge(
        self,
        state: TrainState,
        name: str,
        source: jax.Array,
        output: jax.Array,
        partner: jax.Array | Heatmaps,
    ) -> "_Judgement":
        """A discriminator's view of real and fake, with the ways back."""

        def apply(params, image, stats):
            judged, updates = self.discriminator.apply(
                {"params": params, "batch_stats": stats},
                image,
                partner,
                True,
                mutable=["batch_stats"],
            )
            return judged, updates["batch_stats"]

        params, stats = state.params[name], state.batch_stats[name]
        real, real_pullback, stats = jax.vjp(
            lambda p: apply(p, source, stats), params, has_aux=True
        )
        fake, fake_pullback, stats = jax.vjp(
            lambda p, image: apply(p, image, stats), params, output, has_aux=True
        )
        return _Judgement(real, fake, real_pullback, fake_pullback, stats)

    def _heatmaps(self, pair: Pair) -> Heatmaps:
        """The pose that the image should have."""
        return landmark_heatmaps(
            pair.source_points_xy, image_size(pair.source), self.model.heatmap_grid
        )


@dataclasses.dataclass(frozen=True)
class _Judgement:
    """What one discriminator said; real and fake are (features, logits)."""

    real: tuple[list[jax.Array], jax.Array]
    fake: tuple[list[jax.Array], jax.Array]
    real_pullback: Callable
    fake_pullback: Callable
    batch_stats: Any

    def image_pullback(self, cotangent: Any) -> jax.Array:
        """Gradient for the generated image."""
        return self.fake_pullback(cotangent)[1]

    def loss_and_gradients(self) -> tuple[jax.Array, Any]:
        """The discriminator's own loss and its gradients."""
        loss, (to_real, to_fake) = jax.value_and_grad(
            losses.discriminator, argnums=(0, 1)
        )(self.real[1], self.fake[1])
        no_features = jax.tree.map(jnp.zeros_like, self.real[0])
        (from_real,) = self.real_pullback((no_features, to_real))
        from_fake, _ = self.fake_pullback((no_features, to_fake))
        return loss, jax.tree.map(jnp.add, from_real, from_fake)


def _generator_inputs(pair: Pair) -> tuple[jax.Array | None, ...]:
    """Positional inputs of the generator."""
    return (
        pair.condition,
        pair.context,
        pair.condition_points_xy,
        pair.source_points_xy,
        pair.prior,
    )
