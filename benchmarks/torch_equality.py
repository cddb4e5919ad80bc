"""Are the networks in PyTorch ours? The largest differences.

Weights and inputs are the same, on a CPU, without dropout. Outputs are float32. Loss
terms, running statistics and gradients of a step are float64: with float32 rounding
moves a few pixels over the kinks of ReLU and of L1, which changes the gradients of some
weights by a hundredth.
"""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import torch

from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.heatmaps import landmark_heatmaps
from anonygan_jax.models.images import image_size
from anonygan_jax.systems.anonygan import AnonyGAN, Pair
from anonygan_jax.systems.system import GENERATOR
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory
from benchmarks.random_pairs import random_batch
from benchmarks.torch_step import APPEARANCE, POSE, TorchBatch, TorchStep
from benchmarks.torch_weights import (
    Arrays,
    load_weights,
    networks,
    torch_arrays,
    torch_batch,
)

LIMIT = 1e-4


class Twins(NamedTuple):
    """Our networks and PyTorch's, with the same weights and inputs.

    Attributes:
      model, system, state: ours.
      step: PyTorch's.
    """

    model: ModelConfig
    system: AnonyGAN
    state: TrainState
    step: TorchStep


def check(config: ml_collections.ConfigDict, batch_size: int = 2) -> None:
    """Prints a line for each kind of numbers.

    Args:
      config: of a run of AnonyGAN.
      batch_size: pairs, of noise.

    Raises:
      SystemExit: two are not the same.
    """
    config = config.copy_and_resolve_references().unlock()
    config.model.dropout_rate = config.model.landmark_dropout = 0.0
    config.model.compute_dtype = "float32"
    with jax.default_device(jax.devices("cpu")[0]):
        differences = largest_differences(config, batch_size)
    for name, value in differences.items():
        print(f"difference of {name:45s} {value:.1e}", flush=True)
    if not max(differences.values()) <= LIMIT:  # NaN is none
        raise SystemExit(f"the two sides are not the same: differences over {LIMIT}")


def largest_differences(
    config: ml_collections.ConfigDict, batch_size: int
) -> dict[str, float]:
    """Returns them by the names of the numbers; arguments as of `check`."""
    train_step, batch = (
        factory.make_train_step(config),
        random_batch(config, batch_size),
    )
    system = train_step.system
    assert isinstance(system, AnonyGAN)
    init = jax.jit(lambda key: spread(train_step.init(key, batch), key))
    state = init(jax.random.key(0, impl=factory.RNG_IMPL))
    step = TorchStep(config, "cpu")
    twins = Twins(ModelConfig(**config.model), system, state, step)
    pair = jax.jit(system.prepare)(batch)
    inputs = torch_batch(pair, config.model.heatmap_grid)
    differences = output_differences(twins, pair, inputs)
    with jax.enable_x64(True):
        return differences | step_differences(twins, batch, inputs)


def spread(state: TrainState, key: jax.Array) -> TrainState:
    """Returns a state without zeros, so that every number counts."""

    def moved(path: tuple, values: jax.Array) -> jax.Array:
        noise = jax.random.normal(key, values.shape)
        if "var" in jax.tree_util.keystr(path):
            return 0.3 + 0.1 * jnp.abs(noise)
        return values + 0.02 * noise

    params, stats = (
        jax.tree_util.tree_map_with_path(moved, tree)
        for tree in (state.params, state.batch_stats)
    )
    return dataclasses.replace(state, params=params, batch_stats=stats)


def output_differences(
    twins: Twins, pair: Pair, inputs: TorchBatch
) -> dict[str, float]:
    """Returns those of outputs and logits, over the largest of each."""
    options = compiler_options("cpu")
    ours = jax.jit(lambda state, pair: our_outputs(twins, state, pair))
    arrays = ours.lower(twins.state, pair).compile(options)(twins.state, pair)
    peers = peer_outputs(twins, inputs)
    return {
        f"output, {name}": float(
            np.abs(np.moveaxis(array, -1, 1) - peers[name]).max() / np.abs(array).max()
        )
        for name, array in arrays.items()
    }


def our_outputs(twins: Twins, state: TrainState, pair: Pair) -> dict[str, jax.Array]:
    """Returns outputs, and logits of real images, float32 [B, H, W, C]."""
    variables = {
        name: {"params": state.params[name], "batch_stats": state.batch_stats[name]}
        for name in state.params
    }
    arguments = state.params[GENERATOR], state, pair, jax.random.key(0)
    outputs = {
        "generator": twins.system.generate(variables[GENERATOR], pair),
        "generator in training": twins.system.generate_in_training(*arguments)[0],
    }
    size, grid = image_size(pair.source), twins.model.heatmap_grid
    heatmaps = landmark_heatmaps(pair.source_points_xy, size, grid)
    for name, condition in ((APPEARANCE, pair.condition), (POSE, heatmaps)):
        inputs = variables[f"{name}_discriminator"], pair.source, condition, False
        outputs[f"{name} logits"] = twins.model.discriminator().apply(*inputs)[1]
    return outputs


@torch.no_grad()
def peer_outputs(twins: Twins, inputs: TorchBatch) -> dict[str, np.ndarray]:
    """Returns the same of PyTorch, float32 [B, C, H, W]."""
    step, outputs = twins.step, {}
    load_weights(step, twins.state)
    outputs["generator in training"] = step.generate(inputs)
    load_weights(step, twins.state)  # training changed the running statistics
    for network in networks(step).values():
        network.eval()
    outputs["generator"] = step.generate(inputs)
    logits = step.judge(inputs, inputs.source)
    outputs |= {f"{name} logits": values for name, (_, values) in logits.items()}
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def step_differences(twins: Twins, batch, inputs: TorchBatch) -> dict[str, float]:
    """Returns those of a step; of gradients the norm over that of a network's."""
    step, system = twins.step, twins.system
    for network in networks(step).values():
        network.train().double()
    load_weights(step, twins.state)
    terms = step.gradients(inputs.map(torch.Tensor.double))
    state = jax.tree.map(lambda x: jnp.asarray(x, _double(x.dtype)), twins.state)
    gradients = jax.jit(system.gradients)
    grads, stats, metrics = gradients(state, batch, jax.random.key(0))
    found = {
        f"term, {name}": abs(float(term) - float(metrics[name]))
        for name, term in terms.items()
    }
    for name, network in networks(step).items():
        peers = {n: np.asarray(p.grad) for n, p in network.named_parameters()}
        found[f"gradients, {name}"] = distance(
            torch_arrays(network, grads[name]), peers
        )
        peers = {n: buffer.numpy() for n, buffer in network.named_buffers()}
        ours = torch_arrays(network, stats[name])
        found[f"running statistics, {name}"] = distance(ours, peers)
    return found


def distance(ours: Arrays, peers: Arrays) -> float:
    """Returns the norm of all differences over that of all numbers."""
    lost = sum(np.square(array - peers[name]).sum() for name, array in ours.items())
    return float(np.sqrt(lost / sum(np.square(x).sum() for x in ours.values())))


def _double(dtype: jnp.dtype) -> jnp.dtype:
    """The type in double precision."""
    return jnp.dtype("float64") if dtype == jnp.float32 else dtype
