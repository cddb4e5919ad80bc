"""AnonyGAN: its networks and the gradients of one step."""

import functools
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.faces.masks import FACE, OUTLINE, face_mask
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.images import image_size, to_float
from anonygan_jax.systems import losses
from anonygan_jax.systems.discriminators import Exhibit, Judge, Judgement
from anonygan_jax.systems.embedders import ARCFACE, Embedder
from anonygan_jax.systems.system import GENERATOR, Gradients, Metrics
from anonygan_jax.systems.train_state import TrainState


@flax.struct.dataclass
class Pair:
    """A batch as the networks take it: floats in [-1, 1], mask, chosen landmarks."""

    condition: jax.Array
    source: jax.Array
    mask: jax.Array
    context: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    same_identity: jax.Array
    prior: jax.Array | None = None

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source

    def exhibit(self, discriminator: str) -> Exhibit:
        """Returns what a discriminator is shown; an output takes the image's place."""
        if discriminator in ("appearance", "identity"):
            return Exhibit(self.source, partner=self.condition)
        if discriminator == "pose":
            return Exhibit(self.source, points_xy=self.source_points_xy)
        return Exhibit(self.condition)  # as the release: real are the conditions


class AnonyGAN:
    """Generator and discriminators; see `System`.

    Source: paper section 3; what the release can switch is in the fields of
    `ModelConfig` and `LossConfig`.
    """

    def __init__(
        self,
        model: ModelConfig,
        config: losses.LossConfig,
        embedders: tuple[Embedder, ...] = (),
    ) -> None:
        """Makes the networks.

        Args:
          model: their fields.
          config: weights and forms of the losses.
          embedders: recognisers, for the losses that ask them.

        Raises:
          ValueError: features of a discriminator that is not there are to be matched.
        """
        matched = config.context_matching_from
        if config.context_matching and matched not in model.discriminators:
            raise ValueError(
                f"losses.context_matching_from is {matched!r}, wanted one of "
                f"model.discriminators, {', '.join(model.discriminators)}"
            )
        self.model, self.config = model, config
        self.embedders = {embedder.name: embedder for embedder in embedders}
        self.frozen = {e.name: e.variables for e in embedders}
        self.needs_prior = model.use_warped_prior
        self.region = OUTLINE if model.use_warped_prior else FACE
        self.generator = model.generator()
        self.judges = {
            name: Judge(f"{name}_discriminator", model, config)
            for name in model.discriminators
        }
        self.networks = (GENERATOR, *(judge.name for judge in self.judges.values()))

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> variables before the first step."""
        pair = self.prepare(batch)
        keys = jax.random.split(rng, len(self.networks))
        variables = {GENERATOR: self.generator.init(keys[0], *_inputs(pair))}
        for key, (name, judge) in zip(keys[1:], self.judges.items(), strict=True):
            variables[judge.name] = judge.init(key, pair.exhibit(name))
        return variables

    def prepare(self, batch: PairBatch) -> Pair:
        """Returns the networks' inputs; the source's face is gone from `context`."""
        condition, source = (to_float(u8) for u8 in (batch.condition, batch.source))
        mask = face_mask(batch.source_points_xy, image_size(source), self.region)
        return Pair(
            condition=condition,
            source=source,
            mask=mask,
            context=source * (1 - mask),
            condition_points_xy=self.model.select_points(batch.condition_points_xy),
            source_points_xy=self.model.select_points(batch.source_points_xy),
            same_identity=batch.same_identity,
            prior=None if batch.prior is None else to_float(batch.prior),
        )

    def generate(self, variables: dict[str, Any], pair: Pair) -> jax.Array:
        """Returns the anonymised faces, float32 [B, H, W, 3] in [-1, 1]."""
        output = self.generator.apply(variables, *_inputs(pair))
        assert isinstance(output, jax.Array)
        return output

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, jax.Array]:
        """Returns condition, source, what the generator is given, output, composite."""
        pair = self.prepare(batch)
        output = self.generate(variables, pair)
        return {
            "condition": pair.condition,
            "source": pair.source,
            "given": pair.context if pair.prior is None else pair.prior,
            "output": output,
            "composite": pair.composite(output),
        }

    def gradients(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> Gradients:
        """Returns network -> gradients, network -> running statistics, loss terms.

        The generator runs forward once, each discriminator once on real and once on
        fake pictures, and all gradients are taken at the weights of `state`.
        """
        pair = self.prepare(batch)
        output, pullback, stats = jax.vjp(
            lambda params: self._generate_train(params, state, pair, rng),
            state.params[GENERATOR],
            has_aux=True,
        )
        judged = {
            name: judge(state, pair.exhibit(name), output, jax.random.fold_in(rng, i))
            for i, (name, judge) in enumerate(self.judges.items())
        }
        fakes = {name: judgement.fake for name, judgement in judged.items()}
        (total, metrics), (to_image, to_fakes) = jax.value_and_grad(
            self._generator_loss, argnums=(0, 1), has_aux=True
        )(output, fakes, judged, pair, state)
        for name, judgement in judged.items():
            to_image += judgement.image_pullback(to_fakes[name])
        grads, batch_stats = {GENERATOR: pullback(to_image)[0]}, {GENERATOR: stats}
        metrics[GENERATOR] = total
        for judge, judgement in zip(self.judges.values(), judged.values(), strict=True):
            grads[judge.name] = judgement.grads
            batch_stats[judge.name] = judgement.batch_stats
            metrics[judge.name] = judgement.loss
            if judgement.penalty is not None:
                metrics[f"{judge.name}_r1"] = judgement.penalty
        return grads, batch_stats, metrics

    def _generator_loss(
        self,
        image: jax.Array,
        fakes: dict[str, Any],
        judged: dict[str, Judgement],
        pair: Pair,
        state: TrainState,
    ) -> tuple[jax.Array, Metrics]:
        """Weighted sum of the generator's terms, and the terms."""
        config, matched = self.config, self.config.context_matching_from
        terms = {
            name: losses.fooling(logits, config.adversarial)
            for name, (_, logits) in fakes.items()
        }
        if config.context_matching:
            terms["context_matching"] = losses.context_matching(
                fakes[matched][0],
                judged[matched].real[0],
                jnp.where(pair.same_identity, 1.0, config.context_matching_strangers),
            )
        terms["reconstruction"] = losses.reconstruction(
            image, pair.source, pair.mask, pair.same_identity
        )
        if pair.prior is not None:
            terms["closeness"] = losses.closeness(image, pair.prior, pair.same_identity)
        for name, embedder in self.embedders.items():
            embed = functools.partial(embedder, state.frozen[name])
            if name == ARCFACE:
                terms[name] = losses.unlikeness(embed(image), embed(pair.condition))
            elif pair.prior is not None:
                faces = (pair.composite(image), pair.prior, pair.source)
                made, prior, source = (embed(face) for face in faces)
                same = pair.same_identity
                terms[name] = losses.descriptor(made, prior, source, same)
        return sum(getattr(config, name) * terms[name] for name in terms), terms

    def _generate_train(self, params, state: TrainState, pair: Pair, rng: jax.Array):
        """Output of the generator in training, and its running statistics."""
        output, updates = self.generator.apply(
            {"params": params, "batch_stats": state.batch_stats[GENERATOR]},
            *_inputs(pair),
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": rng},
        )
        if not self.model.use_context:  # surroundings are not its task, as the release
            output = pair.composite(output)
        return output, updates["batch_stats"]


def _inputs(pair: Pair) -> tuple[jax.Array | None, ...]:
    """Positional inputs of the generator."""
    return (
        pair.condition,
        pair.context,
        pair.condition_points_xy,
        pair.source_points_xy,
        pair.prior,
    )
