"""AnonyGAN: its networks and the gradients of one step."""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import ml_collections
from jaxtyping import Array, Float

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.faces.masks import FACE_CONTOUR, PAPER_POLYGON
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.face_mask import face_mask
from anonygan_jax.models.images import image_size, to_float
from anonygan_jax.systems import discriminators, loss_terms
from anonygan_jax.systems.embedders import Embedder, make_embedders
from anonygan_jax.systems.loss_terms import LossConfig
from anonygan_jax.systems.pair import Pair
from anonygan_jax.systems.system import GENERATOR, GradientFunction, Gradients, Metrics
from anonygan_jax.systems.train_state import TrainState


class AnonyGAN:
    """Generator and discriminators; see `System`.

    Source: paper section 3; options of the release are fields of `ModelConfig` and
    `LossConfig`.
    """

    model_kind: ClassVar[type] = ModelConfig
    pretraining_gradients: GradientFunction | None = None

    def __init__(
        self,
        model: ModelConfig,
        config: LossConfig,
        embedders: Mapping[str, Embedder] | None = None,
    ) -> None:
        """Makes the networks.

        Args:
          model: fields of the networks.
          config: weights of the loss terms.
          embedders: of the loss terms that need one, by term.

        Raises:
          ValueError: a discriminator is unknown, or a loss term needs what the model
            does not have.
        """
        known = discriminators.DISCRIMINATORS
        unknown = set(model.discriminators) - known.keys()
        if unknown:
            raise ValueError(
                f"model.discriminators has {', '.join(sorted(unknown))}, wanted some "
                f"of {', '.join(known)}"
            )
        self._model, self._terms = model, loss_terms.loss_terms(config, model)
        self._embedders = dict(embedders or {})
        self.frozen = {name: e.variables for name, e in self._embedders.items()}
        self.uses_warped_condition = model.uses_warped_condition
        self._region = FACE_CONTOUR if model.uses_warped_condition else PAPER_POLYGON
        self._generator = model.generator()
        self._discriminators = {
            name: discriminators.DiscriminatorUpdate(name, model)
            for name in model.discriminators
        }
        updates = self._discriminators.values()
        self.networks = (GENERATOR, *(update.network_name for update in updates))

    @classmethod
    def from_config(cls, config: ml_collections.ConfigDict) -> "AnonyGAN":
        """See `System`."""
        model, losses = ModelConfig(**config.model), LossConfig(**config.losses)
        return cls(model, losses, make_embedders(losses, config.data.zoom))

    def check_num_people(self, num_people: int) -> None:
        """See `System`; any number is accepted."""

    def init(self, rng: jax.Array, batch: PairBatch) -> dict[str, Any]:
        """See `System`."""
        pair = self.prepare(batch)
        key, *keys = jax.random.split(rng, len(self.networks))
        variables = {GENERATOR: self._generator.init(key, *_inputs(pair))}
        updates = self._discriminators.values()
        for key, update in zip(keys, updates, strict=True):
            variables[update.network_name] = update.init(key, pair)
        return variables

    def prepare(self, batch: PairBatch) -> Pair:
        """Returns the networks' inputs; `masked_source` shows no face."""
        condition, source = (to_float(u8) for u8 in (batch.condition, batch.source))
        mask = face_mask(batch.source_points_xy, image_size(source), self._region)
        return Pair(
            condition=condition,
            source=source,
            mask=mask,
            masked_source=source * (1 - mask),
            condition_points_xy=self._model.select_points(batch.condition_points_xy),
            source_points_xy=self._model.select_points(batch.source_points_xy),
            is_supervised=batch.is_supervised,
            supervised_share=batch.supervised_share,
            warped_condition=None
            if batch.warped_condition is None
            else to_float(batch.warped_condition),
        )

    def generate(
        self, variables: dict[str, Any], pair: Pair
    ) -> Float[Array, "B H W 3"]:
        """Returns the anonymised faces, float32 [B, H, W, 3] in [-1, 1]."""
        output = self._generator.apply(variables, *_inputs(pair))
        assert isinstance(output, jax.Array)
        return output

    def pictures(
        self, variables: dict[str, Any], batch: PairBatch
    ) -> dict[str, Float[Array, "B H W 3"]]:
        """See `System`; "given" is the generator's input."""
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
        """See `System`.

        The generator runs forward once, each discriminator once on real and once on
        generated images, and all gradients are taken at the weights of `state`.
        """
        pair = self.prepare(batch)
        output, pullback, stats = jax.vjp(
            lambda params: self.generate_in_training(params, state, pair, rng),
            state.params[GENERATOR],
            has_aux=True,
        )
        results = {
            name: update(state, pair, output)
            for name, update in self._discriminators.items()
        }
        fake = {name: result.fake for name, result in results.items()}
        (total, metrics), (to_image, to_fake) = jax.value_and_grad(
            self.generator_loss, argnums=(0, 1), has_aux=True
        )(output, fake, results, pair, state)
        for name, result in results.items():
            to_image += result.image_pullback(to_fake[name])
        grads, batch_stats = {GENERATOR: pullback(to_image)[0]}, {GENERATOR: stats}
        metrics[GENERATOR] = total
        for name, result in results.items():
            network = self._discriminators[name].network_name
            grads[network] = result.grads
            batch_stats[network] = result.batch_stats
            metrics[network] = result.loss
        return grads, batch_stats, metrics

    def generator_loss(
        self,
        output: jax.Array,
        fake: dict[str, discriminators.DiscriminatorOutput],
        results: dict[str, discriminators.DiscriminatorResult],
        pair: Pair,
        state: TrainState,
    ) -> tuple[jax.Array, Metrics]:
        """Returns the weighted sum of the generator's terms, and the terms by name."""
        real = {name: result.real for name, result in results.items()}
        embed = {
            name: functools.partial(embedder, state.frozen[name])
            for name, embedder in self._embedders.items()
        }
        inputs = loss_terms.LossInputs(output, pair, fake, real, embed)
        return loss_terms.weighted_sum(self._terms, inputs)

    def generate_in_training(
        self, params, state: TrainState, pair: Pair, rng: jax.Array
    ):
        """Returns the generator's output in training, and its running statistics."""
        output, updates = self._generator.apply(
            {"params": params, "batch_stats": state.batch_stats[GENERATOR]},
            *_inputs(pair),
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": rng},
        )
        # Without masked source the surroundings cannot be drawn; as in the release.
        if not self._model.use_masked_source:
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
