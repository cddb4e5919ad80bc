"""One joint update of all networks of a system, as a pure function."""

import dataclasses

import jax
import jax.numpy as jnp
import optax

from anonygan_jax.data.augmentation import UNCHANGED, AugmentationConfig, augment
from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.system import GENERATOR, Gradients, Metrics, System
from anonygan_jax.systems.train_state import TrainState, create_train_state
from anonygan_jax.training import sharding
from anonygan_jax.training.optimiser import OptimiserConfig


class TrainStep:
    """How a system is trained."""

    def __init__(
        self,
        system: System,
        config: OptimiserConfig,
        augmentation: AugmentationConfig = UNCHANGED,
    ) -> None:
        self.system = system
        self._config, self._augmentation = config, augmentation
        self._optimisers = config.optimisers(system.networks)

    def init(self, rng: jax.Array, batch: PairBatch) -> TrainState:
        """Returns the state before the first step."""
        variables = self.system.init(rng, batch)
        return create_train_state(variables, self._optimisers, self.system.frozen)

    def __call__(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> tuple[TrainState, Metrics]:
        """Returns the state after one update of all networks, and the loss terms."""
        to_augment, rng = jax.random.split(sharding.partitionable(rng))
        batch = augment(batch, to_augment, self._augmentation)
        grads, batch_stats, metrics = self.accumulate(state, batch, rng)
        params, opt_state = dict(state.params), dict(state.opt_state)
        for name in grads:
            updates, opt_state[name] = self._optimisers[name].update(
                grads[name], state.opt_state[name], state.params[name]
            )
            params[name] = optax.apply_updates(state.params[name], updates)
        ema_params = optax.incremental_update(
            params[GENERATOR], state.ema_params, 1 - self._config.ema_decay
        )
        after = dataclasses.replace(
            state,
            step=state.step + 1,
            params=params,
            batch_stats=state.batch_stats | batch_stats,
            opt_state=opt_state,
            ema_params=ema_params,
        )
        return after, metrics

    def accumulate(
        self, state: TrainState, batch: PairBatch, rng: jax.Array
    ) -> Gradients:
        """As the system's gradients, in parts of the batch one after the other.

        Less memory; batch statistics are then those of the parts.
        """
        count = self._config.num_accumulated
        if count == 1:
            return self.system.gradients(state, batch, rng)
        # Every count-th row: a device's rows are in all parts.
        parts = jax.tree.map(
            lambda x: x.reshape(-1, count, *x.shape[1:]).swapaxes(0, 1), batch
        )

        def add(carry, part):
            number, stats, *sums = carry
            now = dataclasses.replace(state, batch_stats=stats)
            key = jax.random.fold_in(rng, number)
            grads, changed, metrics = self.system.gradients(now, part, key)
            sums = jax.tree.map(lambda a, b: a + b / count, sums, [grads, metrics])
            return (number + 1, stats | changed, *sums), None

        first = jax.tree.map(lambda x: x[0], parts)
        shapes = jax.eval_shape(self.system.gradients, state, first, rng)
        zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
        start = (jnp.zeros((), jnp.int32), state.batch_stats, zeros[0], zeros[2])
        (_, stats, grads, metrics), _ = jax.lax.scan(add, start, parts)
        return grads, stats, metrics
