"""ONNX files of layers alone; ONNX Runtime is given the weights when it loads them."""

from typing import Any

import numpy as np

OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "images", "embeddings"


class Graph:
    """Layers of a network of images, each added to the value that the last one gave."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], location: str) -> None:
        """Starts without layers.

        Args:
          shapes: of the weights, by name.
          location: file that is said to have them.
        """
        from onnx import TensorProto

        self.shapes = shapes
        self._nodes: list = []
        self._weights = []
        for name, shape in shapes.items():
            weight = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
            weight.data_location = TensorProto.EXTERNAL
            weight.external_data.add(key="location", value=location)
            self._weights.append(weight)

    def add(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Adds a node; returns its value's name, which is its own."""
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, values: np.ndarray) -> str:
        """Adds numbers that are in the file; returns their name."""
        from onnx import numpy_helper

        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(
        self,
        x: str,
        name: str,
        stride: int = 1,
        is_depthwise: bool = False,
        padding: str = "SAME_UPPER",
    ) -> str:
        """Adds a convolution; returns its value's name."""
        group = self.shapes[f"{name}/kernel"][0] if is_depthwise else 1
        inputs = [x, f"{name}/kernel", f"{name}/bias"]
        layout = {"strides": [stride, stride], "auto_pad": padding, "group": group}
        return self.add("Conv", inputs, name, **layout)

    def content(self, image_size: int, num_features: int) -> bytes:
        """Returns the file's content.

        Args:
          image_size: height and width of the images, [batch, H, W, 3].
          num_features: of the embeddings, [batch, F].
        """
        from onnx import TensorProto, helper

        shape: list[str | int] = ["batch", image_size, image_size, 3]
        images = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)
        shape = ["batch", num_features]
        found = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "face", [images], [found], self._weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        return model.SerializeToString(deterministic=True)
