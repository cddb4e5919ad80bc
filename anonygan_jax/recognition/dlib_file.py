"""Weights of dlib's face recogniser, read from its file without dlib."""

import pathlib
import struct
from typing import Any

import numpy as np

from anonygan_jax.models.pretrained import dlib_shapes

CONV, AFFINE, DENSE = b"\x05con_4", b"\x07affine_", b"\x04fc_2"  # length, name


class DlibFileError(ValueError):
    """A file without the weights of the face recogniser."""


def face_descriptor_variables(path: str | pathlib.Path) -> dict[str, Any]:
    """Returns the variables of `DlibResNet`, float32.

    The affine layers (BatchNorm at inference) are folded into the convolutions.

    Args:
      path: dlib_face_recognition_resnet_model_v1.dat.

    Raises:
      DlibFileError: the file has other content.
    """
    data = pathlib.Path(path).read_bytes()
    try:
        kernels, end = [], 0
        for shape in _shapes():
            conv, end = _next_tensor(data, CONV, end)
            affine, end = _next_tensor(data, AFFINE, end)
            kernels.append(_folded(conv, affine, shape))
        dense, _ = _next_tensor(data, DENSE, end, num_before=2)
        features = dlib_shapes.LEVELS[-1][0]
        layers: dict[str, Any] = {f"layer{i}": layer for i, layer in enumerate(kernels)}
        layers["fc"] = {"kernel": dense.reshape(features, dlib_shapes.NUM_FEATURES)}
    except (ValueError, struct.error, IndexError) as error:
        raise DlibFileError(
            f"{path}: not dlib_face_recognition_resnet_model_v1.dat ({error})"
        ) from error
    return {"params": layers}


def _shapes() -> list[tuple[int, int, int, int]]:
    """Filters, channels, height and width of the convolutions, in their order."""
    side = dlib_shapes.FIRST_SIDE
    shapes = [(dlib_shapes.FIRST_FEATURES, len(dlib_shapes.MEANS), side, side)]
    for features, count in dlib_shapes.LEVELS:
        for _ in range(2 * count):
            shapes.append((features, shapes[-1][0], 3, 3))
    return shapes


def _folded(
    conv: np.ndarray, affine: np.ndarray, shape: tuple[int, int, int, int]
) -> dict[str, np.ndarray]:
    """A layer: filters, then biases; their factors, then their summands."""
    filters = conv[: -shape[0]].reshape(shape)
    factor, summand = affine.reshape(2, shape[0])
    return {
        "kernel": (filters * factor[:, None, None, None]).transpose(2, 3, 1, 0),
        "bias": conv[-shape[0] :] * factor + summand,
    }


def _next_tensor(
    data: bytes, name: bytes, start: int, num_before: int = 0
) -> tuple[np.ndarray, int]:
    """The numbers of the next layer of a kind, and the position of their end."""
    place = data.index(name, start) + len(name)
    _, place = _integers(data, place, num_before)
    header, place = _integers(data, place, 5)  # version, four sizes
    count = int(np.prod(header[1:]))
    numbers = np.frombuffer(data, "<f4", count, place)
    return numbers, place + 4 * count


def _integers(data: bytes, place: int, count: int) -> tuple[list[int], int]:
    """dlib's integers: a byte with their length, then as many bytes, little endian."""
    numbers = []
    for _ in range(count):
        end = place + 1 + data[place]
        numbers.append(int.from_bytes(data[place + 1 : end], "little"))
        place = end
    return numbers, place
