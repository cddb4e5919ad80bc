"""From a config to what is trained: system, step, batches, state, compiled step."""

from typing import NamedTuple

import jax
import ml_collections
from jax.sharding import Mesh

from anonygan_jax.data.augmentation import AugmentationConfig
from anonygan_jax.data.batches import BatchLoader, PairBatch
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.models.ciagan.generator import CiaganConfig
from anonygan_jax.models.config import CIAGAN, ModelConfig, model_config, system_of
from anonygan_jax.systems import embedders, losses
from anonygan_jax.systems.anonygan import AnonyGAN
from anonygan_jax.systems.ciagan import Ciagan, CiaganLossConfig
from anonygan_jax.systems.identity_pretraining import IdentityPretraining
from anonygan_jax.systems.system import Metrics, System
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import sharding
from anonygan_jax.training.optimiser import OptimiserConfig
from anonygan_jax.training.step import TrainStep

RNG_IMPL = "rbg"  # initialisation compiles in a quarter of threefry's time


class Stage(NamedTuple):
    """A part of a run.

    Attributes:
      name: for people.
      train_step: what its steps do.
      stop: the run's step after which it ends.
    """

    name: str
    train_step: TrainStep
    stop: int


def make_stages(config: ml_collections.ConfigDict) -> list[Stage]:
    """Returns the stages of a run in their order; all have the same networks.

    Raises:
      ValueError, TypeError: as `make_system`, or a system of one stage is to be
        pretrained.
    """
    optimiser = OptimiserConfig(**config.optimiser)
    stages = [Stage("training", make_train_step(config), optimiser.num_steps)]
    if not optimiser.num_pretraining_steps:
        return stages
    if system_of(config) != CIAGAN:
        raise ValueError(
            f"optimiser.num_pretraining_steps is {optimiser.num_pretraining_steps}, "
            f"but {system_of(config)} has no pretraining"
        )
    system = IdentityPretraining(*_parts_of_ciagan(config))
    step = _train_step(system, config)
    return [Stage("pretraining", step, optimiser.num_pretraining_steps), *stages]


def make_system(config: ml_collections.ConfigDict) -> System:
    """Returns the system that `config` describes.

    Raises:
      ValueError, TypeError: a field is unknown, missing or out of range, or a file of
        weights cannot be used.
    """
    if system_of(config) == CIAGAN:
        return Ciagan(*_parts_of_ciagan(config))
    model = model_config(config)
    terms = losses.LossConfig(**config.losses)
    return AnonyGAN(model, terms, _embedders(terms, model, config.data.zoom))


def _parts_of_ciagan(
    config: ml_collections.ConfigDict,
) -> tuple[CiaganConfig, CiaganLossConfig]:
    """What CIAGAN is made of."""
    model = model_config(config)
    model.check_size(config.data.image_size)
    return model, CiaganLossConfig(**config.losses)


def _embedders(
    terms: losses.LossConfig, model: ModelConfig, zoom: float
) -> tuple[embedders.Embedder, ...]:
    """The recognisers of the losses that have a weight."""
    made = []
    if terms.arcface:
        made.append(embedders.arcface_embedder(terms.arcface_weights))
    if terms.identity_leak:
        if not model.uses_warped_condition:
            raise ValueError("losses.identity_leak needs model.uses_warped_condition")
        made.append(embedders.descriptor_embedder(terms.identity_leak_weights, zoom))
    return tuple(made)


def make_train_step(config: ml_collections.ConfigDict) -> TrainStep:
    """Returns how the system of `config` is trained.

    Raises:
      ValueError, TypeError: as `make_system`.
    """
    return _train_step(make_system(config), config)


def _train_step(system: System, config: ml_collections.ConfigDict) -> TrainStep:
    """How a system is trained."""
    return TrainStep(
        system,
        OptimiserConfig(**config.optimiser),
        AugmentationConfig(**config.augmentation),
    )


def make_mesh(config: ml_collections.ConfigDict) -> Mesh:
    """Returns the mesh of all devices, which can share the batches of `config`.

    Raises:
      ValueError: they cannot.
    """
    mesh = sharding.make_mesh(sharding.ShardingConfig(**config.sharding).num_fsdp)
    sharding.check_batch_size(config.data.batch_size, mesh)
    return mesh


def open_batches(config: ml_collections.ConfigDict, system: System) -> BatchLoader:
    """Returns this process' rows of the batches of `config`.

    Raises:
      RecordsError, ValueError: as `BatchLoader`, or there are more people than a system
        that numbers them can tell apart.
    """
    data, pairs = DataConfig(**config.data), PairConfig(**config.pairs)
    rows = sharding.local_rows(data.batch_size)
    batches = BatchLoader(data, pairs, system.uses_warped_condition, rows)
    num_people = batches.sampler.num_people
    if isinstance(system, Ciagan) and num_people > system.num_identities:
        raise ValueError(
            f"there are {num_people} people to draw, but model.num_identities is "
            f"{system.num_identities}; raise it or pairs.min_photos_per_identity"
        )
    return batches


def create_state(
    train_step: TrainStep, key: jax.Array, batch: PairBatch, mesh: Mesh
) -> TrainState:
    """Returns the state before the first step, made where its arrays will lie."""
    batch = sharding.to_devices(batch, mesh)
    shapes = jax.eval_shape(train_step.init, key, batch)
    shardings = sharding.state_shardings(shapes, mesh)
    return jax.jit(train_step.init, out_shardings=shardings)(key, batch)


def compile_step(
    train_step: TrainStep, key: jax.Array, state: TrainState, batch: PairBatch
) -> jax.stages.Compiled:
    """Returns the compiled step: (state, batch) to (state, loss terms).

    Its randomness is a function of key and step. The state given to it is used up.

    Args:
      train_step: what a step does.
      key: of the run.
      state, batch: arrays, or their shapes and where they lie.
    """
    shardings = jax.tree.map(lambda x: x.sharding, state)
    replicated = state.step.sharding  # as every array that is not split

    def step(state: TrainState, batch: PairBatch) -> tuple[TrainState, Metrics]:
        return train_step(state, batch, jax.random.fold_in(key, state.step))

    jitted = jax.jit(step, donate_argnums=0, out_shardings=(shardings, replicated))
    return jitted.lower(state, batch).compile()


def num_flops(compiled: jax.stages.Compiled) -> float:
    """Returns what one device does in a step, by XLA's count; NaN where it has none."""
    return (compiled.cost_analysis() or {}).get("flops", float("nan"))
