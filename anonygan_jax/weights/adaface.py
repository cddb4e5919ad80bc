"""AdaFace's weights, as those of ArcFace's network."""

import re

import numpy as np

from anonygan_jax.models.pretrained import arcface
from anonygan_jax.weights.anonygan import StateDict
from anonygan_jax.weights.features import arcface_variables

PREFIXES = ("model.", "net.")  # of the names in AdaFace's and CVLFace's files
_ENDS = {  # AdaFace's name -> ArcFace's
    "input_layer.0": "conv1",
    "input_layer.1": "bn1",
    "input_layer.2": "prelu",
    "output_layer.0": "bn2",
    "output_layer.3": "fc",
    "output_layer.4": "features",
}
_LAYERS = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")  # of a block
_EPSILON = 1e-5  # of the norms


def adaface_variables(state_dict: StateDict) -> tuple[arcface.IResNet, dict]:
    """Returns the recogniser and its variables from weights of AdaFace.

    Its network (IR-18 to IR-101) is ArcFace's but for two things, which are weights
    here: the first stage's shortcut takes every second pixel, a convolution by the
    identity; the features have no scale and no bias, 1 and 0. It takes images in BGR.

    Args:
      state_dict: of the network alone, not of the training's head.

    Source: Kim et al., "AdaFace", CVPR 2022; net.py of its release.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit.
    """
    given = {_without_prefix(name): array for name, array in state_dict.items()}
    blocks = _block_names(given)
    renamed = {_renamed(name, blocks): array for name, array in given.items()}
    width = arcface.WIDTHS[0]
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    if "layer1.0.conv1.weight" in renamed:
        shortcut = "layer1.0.downsample"
        renamed |= {
            f"{shortcut}.0.weight": np.eye(width, dtype=np.float32)[..., None, None],
            f"{shortcut}.1.weight": ones,
            f"{shortcut}.1.bias": zeros,
            f"{shortcut}.1.running_mean": zeros,
            f"{shortcut}.1.running_var": ones - np.float32(_EPSILON),
        }
    renamed["features.weight"] = np.ones(arcface.NUM_FEATURES, np.float32)
    renamed["features.bias"] = np.zeros(arcface.NUM_FEATURES, np.float32)
    return arcface_variables(renamed)


def _without_prefix(name: str) -> str:
    """A name as the network itself has it."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _block_names(given: StateDict) -> dict[str, str]:
    """ArcFace's name of each block, "layer2.0" of "body.3", by its width."""
    numbers = sorted(
        int(found[1])
        for name in given
        if (found := re.fullmatch(r"body\.(\d+)\.res_layer\.1\.weight", name))
    )
    names: dict[str, str] = {}
    counts = dict.fromkeys(arcface.WIDTHS, 0)
    for number in numbers:
        width = len(given[f"body.{number}.res_layer.1.weight"])
        if width in counts:
            stage = arcface.WIDTHS.index(width) + 1
            names[f"body.{number}"] = f"layer{stage}.{counts[width]}"
            counts[width] += 1
    return names


def _renamed(name: str, blocks: dict[str, str]) -> str:
    """ArcFace's name of a weight; a name that neither network has is kept."""
    module, _, kind = name.rpartition(".")
    if module in _ENDS:
        return f"{_ENDS[module]}.{kind}"
    found = re.fullmatch(r"(body\.\d+)\.(res|shortcut)_layer\.([0-5])", module)
    if not found or found[1] not in blocks:
        return name
    layer = _LAYERS[int(found[3])] if found[2] == "res" else f"downsample.{found[3]}"
    return f"{blocks[found[1]]}.{layer}.{kind}"
