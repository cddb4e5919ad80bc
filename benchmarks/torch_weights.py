"""Weights and inputs of our networks for those in PyTorch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from flax.traverse_util import flatten_dict
from torch import nn

from anonygan_jax.models.heatmaps import landmark_heatmaps
from anonygan_jax.systems.pair import Pair
from anonygan_jax.systems.system import GENERATOR
from anonygan_jax.systems.train_state import TrainState
from benchmarks.torch_step import TorchBatch, TorchStep

NAMES = {  # ours -> PyTorch's
    "kernel": "weight",
    "scale": "weight",
    "mean": "running_mean",
    "var": "running_var",
}

Arrays = dict[str, np.ndarray]


def torch_arrays(network: nn.Module, tree: Mapping[str, Any]) -> Arrays:
    """Returns arrays of a Flax network by PyTorch's names, in PyTorch's layouts.

    Args:
      network: the same in PyTorch.
      tree: parameters, running statistics or gradients.
    """
    arrays = {}
    for (*path, name), value in flatten_dict(tree).items():
        array = np.asarray(value)
        if isinstance(network.get_submodule(".".join(path)), nn.ConvTranspose2d):
            array = array[::-1, ::-1].transpose(2, 3, 0, 1)
        elif name == "kernel":
            array = np.moveaxis(array, (-1, -2), (0, 1))
        arrays[".".join([*path, NAMES.get(name, name)])] = array
    return arrays


def networks(step: TorchStep) -> dict[str, nn.Module]:
    """Returns the networks of a step by our names."""
    others = step.discriminators.items()
    return {GENERATOR: step.generator} | {f"{n}_discriminator": d for n, d in others}


def load_weights(step: TorchStep, state: TrainState) -> None:
    """Gives a step the parameters and running statistics of a state."""
    for name, network in networks(step).items():
        arrays = torch_arrays(network, state.params[name])
        arrays |= torch_arrays(network, state.batch_stats[name])
        weights = {n: torch.from_numpy(a.copy()) for n, a in arrays.items()}
        left, unknown = network.load_state_dict(weights, strict=False)
        left = [name for name in left if not name.endswith("num_batches_tracked")]
        if left or unknown:
            raise ValueError(f"{name}: no weights for {left}, none known as {unknown}")


def torch_batch(pair: Pair, heatmap_grid: Sequence[int] | None) -> TorchBatch:
    """Returns the inputs of a step, on the CPU."""
    points, size = (pair.condition_points_xy, pair.source_points_xy), pair.mask.shape
    heatmaps = [
        landmark_heatmaps(p, (size[1], size[2]), heatmap_grid).dense() for p in points
    ]
    images = pair.condition, pair.masked_source, pair.warped_condition
    return TorchBatch(
        images=[_channels_first(image) for image in images if image is not None],
        heatmaps=torch.cat([_channels_first(maps) for maps in heatmaps], 1),
        source=_channels_first(pair.source),
        mask=_channels_first(pair.mask),
        is_supervised=torch.tensor(np.asarray(pair.is_supervised, np.float32)),
    )


def _channels_first(array: Any) -> torch.Tensor:
    return torch.tensor(np.moveaxis(np.asarray(array), -1, 1))
