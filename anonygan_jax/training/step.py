"""One joint update of all networks of a system, as a pure function."""

import dataclasses

import jax
import jax.numpy as jnp
import optax

from anonygan_jax.data.augmentation import AugmentationConfig, augment
from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.pair import supervised_share
from anonygan_jax.systems.system import (
    GENERATOR,
    GradientFunction,
    Gradients,
    Metrics,
    System,
)
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import sharding
from anonygan_jax.training.optimiser import OptimiserConfig

GRADIENT_NORM, SKIPPED = "gradient_norm", "skipped"  # beside the loss terms


@dataclasses.dataclass(frozen=True, eq=False)
class TrainStep:
    """Update of a system's networks by one batch.

    Attributes:
      system: what is trained.
      config: of the optimisers and of the average.
      augmentation: of the batches.
      gradients: the system's, of the stage.
    """

    system: System
    config: OptimiserConfig
    augmentation: AugmentationConfig
    gradients: GradientFunction

    def init(self, rng: jax.Array, batch: PairBatch) -> TrainState:
        """Returns the state before the first step."""
        variables = self.system.init(rng, batch)
        params = {name: v["params"] for name, v in variables.items()}
        stats = {name: v.get("batch_stats", {}) for name, v in variables.items()}
        optimisers = self.config.optimisers(self.system.networks)
        return TrainState(
            step=jnp.zeros((), jnp.int32),
            params=params,
            batch_stats=stats,
            opt_state={name: optimisers[name].init(params[name]) for name in params},
            ema_params=jax.tree.map(jnp.copy, params[GENERATOR]),
            frozen=self.system.frozen,
        )

    def __call__(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> tuple[TrainState, Metrics]:
        """Returns the state after one update of all networks, and the loss terms.

        Terms or gradients that are not finite update nothing but the step's number;
        `SKIPPED` is 1 then. `GRADIENT_NORM` is that of all networks' gradients.
        """
        to_augment, rng = jax.random.split(sharding.partitionable(rng))
        batch = augment(batch, to_augment, self.augmentation)
        grads, batch_stats, metrics = self.batch_gradients(state, batch, rng)
        optimisers = self.config.optimisers(self.system.networks)
        params, opt_state = dict(state.params), dict(state.opt_state)
        for name in grads:
            updates, opt_state[name] = optimisers[name].update(
                grads[name], state.opt_state[name], state.params[name]
            )
            params[name] = optax.apply_updates(state.params[name], updates)
        ema_params = optax.incremental_update(
            params[GENERATOR], state.ema_params, 1 - self.config.ema_decay
        )
        after = dataclasses.replace(
            state,
            step=state.step + 1,
            params=params,
            batch_stats=state.batch_stats | batch_stats,
            opt_state=opt_state,
            ema_params=ema_params,
        )
        norm = optax.tree.norm(grads)
        finite = jnp.isfinite(jnp.stack([norm, *metrics.values()])).all()
        kept = dataclasses.replace(state, step=after.step)
        after = jax.tree.map(lambda new, old: jnp.where(finite, new, old), after, kept)
        metrics = {GRADIENT_NORM: norm, SKIPPED: 1.0 - finite} | metrics
        return after, metrics

    def batch_gradients(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> Gradients:
        """Returns the gradients of a whole batch, as `System.gradients`."""
        count = self.config.num_microbatches
        if count == 1:
            return self.gradients(state, batch, rng)
        share = supervised_share(batch.is_supervised)
        batch = dataclasses.replace(batch, supervised_share=share)

        def add(sums: Gradients, part: tuple[PairBatch, jax.Array]):
            values = self.gradients(state, *part)
            return jax.tree.map(jnp.add, sums, values), None

        # Every count-th pair, so that each device has its share of each part.
        parts = jax.tree.map(
            lambda x: x.reshape(-1, count, *x.shape[1:]).swapaxes(0, 1), batch
        )
        keys = jax.random.split(rng, count)
        first = jax.tree.map(lambda x: x[0], (parts, keys))
        shapes = jax.eval_shape(self.gradients, state, *first)
        zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        sums, _ = jax.lax.scan(add, zeros, (parts, keys))
        return jax.tree.map(lambda x: x / count, sums)
