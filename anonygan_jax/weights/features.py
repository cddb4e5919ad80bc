"""Weights of the pretrained networks: official files -> our variables.

Our modules have the official names, so the table is made from the variables.
"""

import hashlib
import pathlib

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from anonygan_jax.models.pretrained import arcface, efficientnet, facenet, inception
from anonygan_jax.weights.anonygan import StateDict, Table, convert
from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict

INCEPTION_SHA256 = "6726825d"  # first digits, which are in the file's name
_NAMES = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}


def load_inception(path: str | pathlib.Path) -> dict:
    """Returns {"params", "batch_stats"} for `Inception`.

    Args:
      path: pt_inception-2015-12-05-6726825d.pth, of pytorch-fid's releases.

    Raises:
      TorchFileError: it cannot be read, or has another SHA-256.
      ValueError: names or shapes do not fit.
    """
    if not sha256(path).startswith(INCEPTION_SHA256):
        raise TorchFileError(
            f"{path}: its SHA-256 does not begin with {INCEPTION_SHA256}; wanted "
            "pt_inception-2015-12-05-6726825d.pth"
        )
    return inception_variables(read_state_dict(path))


def inception_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `Inception` from official weights.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit.
    """
    return _variables(state_dict, inception.Inception(), inception.IMAGE_SIZE)


def facenet_variables(state_dict: StateDict) -> tuple[facenet.FaceNet, dict]:
    """Returns the recogniser and its variables from weights of facenet-pytorch.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit.
    """
    if "logits.bias" not in state_dict:
        raise ValueError("the state dict does not fit: missing logits.bias")
    network = facenet.FaceNet(len(state_dict["logits.bias"]))
    return network, _variables(state_dict, network, facenet.IMAGE_SIZE)


def efficientnet_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `EfficientNet`, Lite0.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit.
    """
    network = efficientnet.EfficientNet()
    return _variables(state_dict, network, efficientnet.IMAGE_SIZE)


def arcface_variables(state_dict: StateDict) -> tuple[arcface.IResNet, dict]:
    """Returns the recogniser and its variables from weights of InsightFace.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit.
    """
    blocks = {tuple(name.split(".")[:2]) for name in state_dict}
    stages = (f"layer{stage}" for stage in range(1, 5))
    num_blocks = tuple(sum(b[0] == stage for b in blocks) for stage in stages)
    network = arcface.IResNet(num_blocks)
    return network, _variables(state_dict, network, arcface.IMAGE_SIZE)


def sha256(path: str | pathlib.Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal digits.

    Raises:
      TorchFileError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TorchFileError(f"{path}: cannot be read ({error.strerror})") from error


def _variables(state_dict: StateDict, network: nn.Module, size: int) -> dict:
    """Our variables from weights with the names of the network's own ones."""
    images = jnp.zeros((1, size, size, 3))
    init = jax.eval_shape(lambda: network.init(jax.random.key(0), images))
    table: Table = {}
    for path in flatten_dict(init):
        official = ".".join([*path[1:-1], _NAMES[path[-1]]])
        table[official] = (path, _layout)
    return convert(state_dict, table, network, images)


def _layout(weight: np.ndarray) -> np.ndarray:
    """OIHW -> HWIO, [out, in] -> [in, out]; vectors unchanged."""
    return np.moveaxis(weight, (0, 1), (-1, -2)) if weight.ndim > 1 else weight
