"""One joint update of all networks of a system, as a pure function."""

import dataclasses

import jax
import optax

from anonygan_jax.data.augmentation import UNCHANGED, AugmentationConfig, augment
from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems.system import GENERATOR, GradientFunction, Metrics, System
from anonygan_jax.systems.train_state import TrainState, create_train_state
from anonygan_jax.training import sharding
from anonygan_jax.training.optimiser import OptimiserConfig


class TrainStep:
    """Update of a system's networks by one batch.

    Attributes:
      system: what is trained.
    """

    def __init__(
        self,
        system: System,
        config: OptimiserConfig,
        augmentation: AugmentationConfig = UNCHANGED,
        gradients: GradientFunction | None = None,
    ) -> None:
        """Makes the optimisers.

        Args:
          system: what is trained.
          config: of the optimisers and of the average.
          augmentation: of the batches.
          gradients: of another stage; by default the system's.
        """
        self.system = system
        self._gradients = gradients or system.gradients
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
        grads, batch_stats, metrics = self._gradients(state, batch, rng)
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
