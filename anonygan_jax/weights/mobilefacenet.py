"""MobileFaceNet's weights: the package's own, and those of a TensorFlow Lite file."""

import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from anonygan_jax.io.arrays import read_arrays
from anonygan_jax.models.pretrained.mobilefacenet import (
    BLOCK,
    END,
    IMAGE_SIZE,
    STEM,
    MobileFaceNet,
    blocks,
)
from anonygan_jax.recognition.mobilefacenet import WEIGHTS

Variables = dict[str, Any]


class TfliteError(ValueError):
    """A file that is not MobileFaceNet as TensorFlow Lite writes it."""


def packaged_variables() -> Variables:
    """Returns the variables of `MobileFaceNet`, float32, from the package.

    Raises:
      ArraysError: the package is damaged.
    """
    arrays = read_arrays(WEIGHTS)
    flat = {name: array.astype(np.float32) for name, array in arrays.items()}
    return {"params": unflatten_dict(flat, sep="/")}


def tflite_variables(path: pathlib.Path) -> Variables:
    """Returns the variables of `MobileFaceNet`, float32, from the original's file.

    Needs TensorFlow, which knows the file's format.

    Raises:
      TfliteError: the file is missing, is no network, or another one.
    """
    try:
        layers = list(_layers(path.read_bytes()))
    except Exception as error:  # the parser raises whatever the damage leads to
        raise TfliteError(f"{path}: not a TensorFlow Lite file ({error})") from error
    modules = [*STEM, *(f"{b[0]}/{part}" for b in blocks() for part in BLOCK), *END]
    image = jnp.zeros((1, IMAGE_SIZE, IMAGE_SIZE, 3))
    wanted = jax.eval_shape(MobileFaceNet().init, jax.random.key(0), image)["params"]
    if len(layers) != len(modules):
        raise TfliteError(f"{path}: {len(layers)} layers, wanted {len(modules)}")
    flat = {
        f"{module}/{name}": array
        for module, layer in zip(modules, layers, strict=True)
        for name, array in layer.items()
    }
    for name, leaf in flatten_dict(wanted, sep="/").items():
        if (found := flat.get(name, np.zeros(0)).shape) != leaf.shape:
            raise TfliteError(f"{path}: {name} is {found}, wanted {leaf.shape}")
    return {"params": unflatten_dict(flat, sep="/")}


def _layers(data: bytes) -> Iterator[Variables]:
    """Parameters of convolutions and slopes, in the file's order."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    (graph,) = model.subgraphs
    codes = [  # older files have the second
        max(code.builtinCode, code.deprecatedBuiltinCode)
        for code in model.operatorCodes
    ]

    def constant(number: int) -> np.ndarray | None:
        tensor = graph.tensors[number]
        content = model.buffers[tensor.buffer].data
        if content is None or not len(content):
            return None
        return np.frombuffer(bytes(content), np.float32).reshape(tensor.shape)

    kinds = schema.BuiltinOperator
    layouts = {kinds.CONV_2D: (1, 2, 3, 0), kinds.DEPTHWISE_CONV_2D: (1, 2, 0, 3)}
    for operator in graph.operators:
        code = codes[operator.opcodeIndex]
        constants = [c for c in map(constant, operator.inputs) if c is not None]
        if code == kinds.MUL and constants:  # by half of x - |x|, in a PReLU
            yield {"scale": 2 * constants[0]}
        elif code in layouts:
            kernel, bias = constants
            yield {"kernel": kernel.transpose(layouts[code]), "bias": bias}
