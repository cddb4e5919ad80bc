"""AnonyGAN: its networks and the gradients of one step."""

import functools
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.faces.masks import FACE_CONTOUR, PAPER_POLYGON, face_mask
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.images import image_size, to_float
from anonygan_jax.systems import losses
from anonygan_jax.systems.discriminators import (
    DiscriminatorInput,
    DiscriminatorResult,
    DiscriminatorUpdate,
)
from anonygan_jax.systems.embedders import ARCFACE, Embedder
from anonygan_jax.systems.system import GENERATOR, Gradients, Metrics
from anonygan_jax.systems.train_state import TrainState


@flax.struct.dataclass
class Pair:
    """A batch as the networks take it: floats in [-1, 1], mask, chosen landmarks."""

    condition: jax.Array
    source: jax.Array
    mask: jax.Array
    masked_source: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    is_supervised: jax.Array
    warped_condition: jax.Array | None = None

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source

    def discriminator_input(self, discriminator: str) -> DiscriminatorInput:
        """Returns what a discriminator is shown; an output takes the image's place."""
        if discriminator in ("appearance", "identity"):
            return DiscriminatorInput(self.source, condition=self.condition)
        if discriminator == "pose":
            return DiscriminatorInput(self.source, points_xy=self.source_points_xy)
        return DiscriminatorInput(
            self.condition
        )  # as the release: real are the conditions


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
        self.uses_warped_condition = model.uses_warped_condition
        self.region = FACE_CONTOUR if model.uses_warped_condition else PAPER_POLYGON
        self.generator = model.generator()
        self.discriminators = {
            name: DiscriminatorUpdate(f"{name}_discriminator", model, config)
            for name in model.discriminators
        }
        self.networks = (
            GENERATOR,
            *(discriminator.name for discriminator in self.discriminators.values()),
        )

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """Returns network -> variables before the first step."""
        pair = self.prepare(batch)
        keys = jax.random.split(rng, len(self.networks))
        variables = {GENERATOR: self.generator.init(keys[0], *_inputs(pair))}
        for key, (name, discriminator) in zip(
            keys[1:], self.discriminators.items(), strict=True
        ):
            variables[discriminator.name] = discriminator.init(
                key, pair.discriminator_input(name)
            )
        return variables

    def prepare(self, batch: PairBatch) -> Pair:
        """Returns the networks' inputs; `masked_source` shows no face."""
        condition, source = (to_float(u8) for u8 in (batch.condition, batch.source))
        mask = face_mask(batch.source_points_xy, image_size(source), self.region)
        return Pair(
            condition=condition,
            source=source,
            mask=mask,
            masked_source=source * (1 - mask),
            condition_points_xy=self.model.select_points(batch.condition_points_xy),
            source_points_xy=self.model.select_points(batch.source_points_xy),
            is_supervised=batch.is_supervised,
            warped_condition=None
            if batch.warped_condition is None
            else to_float(batch.warped_condition),
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
            "given": pair.masked_source
            if pair.warped_condition is None
            else pair.warped_condition,
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
        results = {
            name: discriminator(
                state,
                pair.discriminator_input(name),
                output,
                jax.random.fold_in(rng, i),
            )
            for i, (name, discriminator) in enumerate(self.discriminators.items())
        }
        fakes = {name: result.fake for name, result in results.items()}
        (total, metrics), (to_image, to_fakes) = jax.value_and_grad(
            self._generator_loss, argnums=(0, 1), has_aux=True
        )(output, fakes, results, pair, state)
        for name, result in results.items():
            to_image += result.image_pullback(to_fakes[name])
        grads, batch_stats = {GENERATOR: pullback(to_image)[0]}, {GENERATOR: stats}
        metrics[GENERATOR] = total
        for discriminator, result in zip(
            self.discriminators.values(), results.values(), strict=True
        ):
            grads[discriminator.name] = result.grads
            batch_stats[discriminator.name] = result.batch_stats
            metrics[discriminator.name] = result.loss
            if result.penalty is not None:
                metrics[f"{discriminator.name}_r1"] = result.penalty
        return grads, batch_stats, metrics

    def _generator_loss(
        self,
        image: jax.Array,
        fakes: dict[str, Any],
        results: dict[str, DiscriminatorResult],
        pair: Pair,
        state: TrainState,
    ) -> tuple[jax.Array, Metrics]:
        """Weighted sum of the generator's terms, and the terms."""
        config, matched = self.config, self.config.context_matching_from
        terms = {
            name: losses.generator_adversarial_loss(logits, config.adversarial)
            for name, (_, logits) in fakes.items()
        }
        if config.context_matching:
            terms["context_matching"] = losses.context_matching(
                fakes[matched][0],
                results[matched].real[0],
                jnp.where(
                    pair.is_supervised, 1.0, config.context_matching_different_identity
                ),
            )
        terms["reconstruction"] = losses.reconstruction(
            image, pair.source, pair.mask, pair.is_supervised
        )
        if pair.warped_condition is not None:
            terms["low_frequency_l1"] = losses.low_frequency_l1(
                image, pair.warped_condition, pair.is_supervised
            )
        for name, embedder in self.embedders.items():
            embed = functools.partial(embedder, state.frozen[name])
            if name == ARCFACE:
                terms[name] = losses.cosine_distance(
                    embed(image), embed(pair.condition)
                )
            elif pair.warped_condition is not None:
                faces = (pair.composite(image), pair.warped_condition, pair.source)
                made, warped_condition, source = (embed(face) for face in faces)
                same = pair.is_supervised
                terms[name] = losses.identity_leak(made, warped_condition, source, same)
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
        if (
            not self.model.use_masked_source
        ):  # surroundings are not its task, as the release
            output = pair.composite(output)
        return output, updates["batch_stats"]


def _inputs(pair: Pair) -> tuple[jax.Array | None, ...]:
    """Positional inputs of the generator."""
    return (
        pair.condition,
        pair.masked_source,
        pair.condition_points_xy,
        pair.source_points_xy,
        pair.warped_condition,
    )
