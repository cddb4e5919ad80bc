"""Reference values of the official networks; see golden/README.md."""

import functools
import json
import pathlib
import zlib
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

FOLDER = pathlib.Path(__file__).parent / "golden"


@functools.cache
def state_dict(network: str) -> dict[str, np.ndarray]:
    """Official weights of a network, each drawn from its name."""
    table = json.loads((FOLDER / "state_dicts.json").read_text())[network]
    return {name: draw(name, *entry) for name, entry in table.items()}


def draw(name: str, shape: Sequence[int], kind: str, gain: float) -> np.ndarray:
    """Weights that follow from their name."""
    rng = np.random.default_rng([0, zlib.crc32(name.encode())])
    z = rng.standard_normal(shape)
    if kind == "var":
        z = np.exp(0.2 * z)
    elif kind in ("mean", "bias"):
        z = 0.1 * z
    elif kind == "scale":
        z = 1 + 0.1 * z
    else:
        z = gain * z / np.sqrt(np.prod(shape[1:]))
    return z.astype(np.float32)


def load(name: str) -> dict[str, np.ndarray]:
    """Arrays of an npz file."""
    with np.load(FOLDER / name) as file:
        return dict(file)


def nhwc(array: np.ndarray) -> jnp.ndarray:
    """PyTorch's NCHW as our NHWC."""
    return jnp.asarray(array.transpose(0, 2, 3, 1))


def points_xy(landmarks_yx: np.ndarray) -> jnp.ndarray:
    """Stored (y, x) as our float (x, y)."""
    return jnp.asarray(landmarks_yx[..., ::-1].astype(np.float32))
