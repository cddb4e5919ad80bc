"""From a config to what is trained: stages, batches, state, compiled step."""

import dataclasses
from typing import Any, NamedTuple

import jax
import ml_collections
from jax.sharding import Mesh

from anonygan_jax.data.augmentation import AugmentationConfig
from anonygan_jax.data.batches import BatchLoader, PairBatch
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.tf_data import require_tensorflow
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.names import system_of
from anonygan_jax.systems.registry import make_system
from anonygan_jax.systems.system import Metrics, System
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import processes, sharding
from anonygan_jax.training.optimiser import OptimiserConfig
from anonygan_jax.training.step import TrainStep

RNG_IMPL = "rbg"  # initialisation compiles in a quarter of threefry's time


class Stage(NamedTuple):
    """A part of a run.

    Attributes:
      name: for the log.
      train_step: of this part.
      stop: last step of the run in this part.
    """

    name: str
    train_step: TrainStep
    stop: int


def make_stages(config: ml_collections.ConfigDict) -> list[Stage]:
    """Returns the stages of a run in their order; all have the same networks.

    Raises:
      ValueError, TypeError: as `make_system`, or there are steps of pretraining for a
        system of one stage.
    """
    step, num_steps = make_train_step(config), config.optimiser.num_pretraining_steps
    training = Stage("training", step, config.optimiser.num_steps)
    if not num_steps:
        return [training]
    gradients = step.system.pretraining_gradients
    if gradients is None:
        raise ValueError(
            f"optimiser.num_pretraining_steps is {num_steps}, but {system_of(config)} "
            "has no pretraining"
        )
    first = dataclasses.replace(step, gradients=gradients)
    return [Stage("pretraining", first, num_steps), training]


def make_train_step(config: ml_collections.ConfigDict) -> TrainStep:
    """Returns the step of a run's last stage.

    Raises:
      ValueError, TypeError: as `make_system`.
    """
    system = make_system(config)
    optimiser = OptimiserConfig(**config.optimiser)
    augmentation = AugmentationConfig(**config.augmentation)
    return TrainStep(system, optimiser, augmentation, system.gradients)


def make_mesh(config: ml_collections.ConfigDict) -> Mesh:
    """Returns the mesh of all devices, over which the batches can be split.

    Raises:
      ValueError: the number of devices does not fit the config.
    """
    mesh = sharding.make_mesh(**config.sharding)
    parts = config.optimiser.get("num_microbatches", 1)
    sharding.check_batch_size(config.data.batch_size, mesh, parts)
    return mesh


def open_batches(config: ml_collections.ConfigDict, system: System) -> BatchLoader:
    """Returns the batches of a run, of which this process makes its rows.

    Raises:
      RecordsError, ValueError: as `BatchLoader` and `System.check_num_people`.
      MissingPackage: the loader needs TensorFlow, which is missing.
    """
    data, pairs = DataConfig(**config.data), PairConfig(**config.pairs)
    if data.loader == "tf_data":
        require_tensorflow()
    rows = sharding.local_rows(data.batch_size)
    batches = BatchLoader(data, pairs, system.uses_warped_condition, rows)
    system.check_num_people(batches.sampler.num_people)
    return batches


def create_state(
    train_step: TrainStep, key: jax.Array, batch: PairBatch, mesh: Mesh
) -> TrainState:
    """Returns the state before the first step, created with its shardings."""
    batch = sharding.to_devices(batch, mesh)
    shapes = jax.eval_shape(train_step.init, key, batch)
    shardings = sharding.state_shardings(shapes, mesh)
    init = jax.jit(train_step.init, out_shardings=shardings)
    compiled = init.lower(key, batch).compile()
    processes.meet("the first state is compiled")
    return compiled(key, batch)


def compile_step(
    train_step: TrainStep, key: jax.Array, state: TrainState, batch: PairBatch
) -> jax.stages.Compiled:
    """Returns the compiled step: (state, batch) to (state, loss terms).

    Its randomness is a function of key and step. The buffers of its state are donated.

    Args:
      train_step: of the stage.
      key: random key of the run.
      state, batch: arrays, or their shapes and shardings.
    """
    lowered = lower_step(train_step, key, state, batch)
    devices: Any = state.step.sharding.device_set  # without a type in jaxlib
    compiled = lowered.compile(compiler_options(next(iter(devices)).platform))
    processes.meet("a step is compiled")
    return compiled


def lower_step(
    train_step: TrainStep, key: jax.Array, state: TrainState, batch: PairBatch
) -> jax.stages.Lowered:
    """Returns the step before it is compiled; arguments as of `compile_step`."""
    shardings = jax.tree.map(lambda x: x.sharding, state)
    replicated = state.step.sharding

    def step(state: TrainState, batch: PairBatch) -> tuple[TrainState, Metrics]:
        return train_step(state, batch, jax.random.fold_in(key, state.step))

    jitted = jax.jit(step, donate_argnums=0, out_shardings=(shardings, replicated))
    return jitted.lower(state, batch)


def num_flops(compiled: jax.stages.Compiled) -> float:
    """Returns the FLOPs of one device in a step, by XLA; NaN where it has no count."""
    return (compiled.cost_analysis() or {}).get("flops", float("nan"))
