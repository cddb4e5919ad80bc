"""Generators as ONNX files, converted by jax2onnx."""

import functools
import json
import logging
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from anonygan_jax.io import extras
from anonygan_jax.models.convolution import ONNX
from anonygan_jax.weights.checkpoint_folder import CONFIG_FILE, ONNX_FILE, STEP_NOTE
from anonygan_jax.weights.drawing import drawing_function, input_shapes

OPSET = 21
OUTPUT = "image"


def require_converter() -> None:
    """Accepts machines on which `write_onnx` can be used.

    Raises:
      MissingPackage: onnx or jax2onnx is missing.
    """
    extras.require("--format onnx", "onnx", "onnx", "jax2onnx")


def write_onnx(
    output: pathlib.Path,
    config: Mapping[str, Any],
    variables: dict[str, Any],
    step: int,
) -> None:
    """Writes a generator for ONNX Runtime, and its config, into a folder.

    Arrays that are exact in float16 are kept so; the file computes in float32.

    Args:
      output: folder, made if it is not there.
      config: of the generator's run.
      variables: {"params", "batch_stats"}.
      step: of the run.

    Raises:
      MissingPackage: as `require_converter`.
    """
    require_converter()
    import jax2onnx

    # They warn of plugins for other libraries, and of shapes that are not written.
    for name in ("jax2onnx", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    shapes = input_shapes(config)
    model = jax2onnx.to_onnx(
        functools.partial(drawing_function(config, ONNX), variables),
        list(shapes.values()),
        model_name="generator",
        opset=OPSET,
        input_names=list(shapes),
        output_names=[OUTPUT],
    )
    model.metadata_props.add(key=STEP_NOTE, value=str(step))
    _halve(model.graph)
    output.mkdir(parents=True, exist_ok=True)
    (output / CONFIG_FILE).write_text(json.dumps(config, indent=1) + "\n")
    (output / ONNX_FILE).write_bytes(model.SerializeToString(deterministic=True))


def _halve(graph: Any) -> None:
    """Keeps arrays that are exact in float16 so, and casts them when they are read."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if values.dtype == np.float32 and np.array_equal(halves, values):
            name, half = weight.name, f"{weight.name}_half"
            weight.CopyFrom(numpy_helper.from_array(halves, half))
            cast = helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT)
            casts.append(cast)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
