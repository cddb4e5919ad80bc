"""MobileFaceNet in JAX and in ONNX Runtime against TensorFlow Lite's interpreter."""

import hashlib
import importlib.resources
import re

import golden_values
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from anonygan_jax.models.pretrained.layers import normalised
from anonygan_jax.models.pretrained.mobilefacenet import MobileFaceNet
from anonygan_jax.recognition.mobilefacenet import MobileFaceNetDescriptor
from anonygan_jax.weights import mobilefacenet


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    """Outputs of the original's weights, and of these rounded to float16."""
    return golden_values.load("mobilefacenet.npz")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    images = np.random.default_rng(5).uniform(-1, 1, (2, 112, 112, 3))
    return images.astype(np.float32)


@pytest.fixture(scope="module")
def variables() -> dict:
    return mobilefacenet.packaged_variables()


def test_jax_computes_what_tensorflow_lite_computes(golden, images, variables):
    made = jax.jit(MobileFaceNet().apply)(variables, images)
    assert np.abs(made - golden["rounded"]).max() <= 1e-4


def test_onnx_runtime_computes_what_tensorflow_lite_computes(golden, images):
    (made,) = MobileFaceNetDescriptor()._network(images)
    assert np.abs(made - golden["rounded"]).max() <= 1e-4
    (one,) = MobileFaceNetDescriptor()._network(images[:1])
    np.testing.assert_allclose(one, made[:1], atol=1e-5)


def test_float16_weights_move_descriptors_little(golden):
    rounded, original = (
        normalised(jnp.asarray(golden[name])) for name in ("rounded", "original")
    )
    assert 0 < np.linalg.norm(rounded - original, axis=-1).max() < 0.003


def test_gradients_point_uphill(images, variables):
    def distance(images: jax.Array) -> jax.Array:
        first, second = normalised(MobileFaceNet().apply(variables, images))
        return jnp.sum((first - second) ** 2)

    value, gradient = jax.jit(jax.value_and_grad(distance))(images)
    step = 1e-2 * gradient / jnp.linalg.norm(gradient)
    rise = jax.jit(distance)(images + step) - jax.jit(distance)(images - step)
    assert value > 0
    assert rise == pytest.approx(2e-2 * float(jnp.linalg.norm(gradient)), rel=0.05)


def test_the_card_has_the_checksums_of_the_files():
    folder = importlib.resources.files("anonygan_jax") / "assets" / "recognisers"
    card = (folder / "README.md").read_text()
    listed = dict(re.findall(r"([0-9a-f]{64})  (\S+)", card))
    for name in ("mobilefacenet.npz", "mobilefacenet.onnx", "dlib.onnx"):
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert listed[found] == name


def layer_names() -> list[str]:
    """The original's layers in their order: convolutions and slopes in turn."""
    project = ["expand", "expand_prelu", "depthwise", "depthwise_prelu", "project"]
    names = ["stem", "stem_prelu", "stem_depthwise", "stem_depthwise_prelu"]
    names.append("stem_project")
    for stage, count in enumerate((5, 1, 6, 1, 2)):
        for number in range(count):
            names += [f"stage{stage}_block{number}/{layer}" for layer in project]
    return [*names, "last", "last_prelu", "pool", "dense", "features"]


def tflite(layers: dict[str, dict[str, np.ndarray]]) -> bytes:
    """A file with some layers, in TensorFlow Lite's layouts."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs, model.buffers = 3, [graph], [schema.BufferT()]
    graph.tensors, graph.operators, model.operatorCodes = [], [], []
    kinds = schema.BuiltinOperator
    for code in (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D, kinds.MUL):
        entry = schema.OperatorCodeT()  # older files have the second field alone
        entry.builtinCode, entry.deprecatedBuiltinCode = 0, code
        model.operatorCodes.append(entry)

    def tensor(array: np.ndarray | None) -> int:
        buffer, made = schema.BufferT(), schema.TensorT()
        made.shape, made.buffer = [1], 0
        if array is not None:
            made.shape, made.buffer = list(array.shape), len(model.buffers)
            buffer.data = np.frombuffer(array.tobytes(), np.uint8)
            model.buffers.append(buffer)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    for name, layer in layers.items():
        operator = schema.OperatorT()
        if "scale" in layer:
            operator.opcodeIndex, arrays = 2, [layer["scale"] / 2]
        elif "depthwise" in name or name == "pool":  # [1, H, W, C]
            arrays = [layer["kernel"].transpose(2, 0, 1, 3), layer["bias"]]
            operator.opcodeIndex = 1
        else:  # [O, H, W, I]
            arrays = [layer["kernel"].transpose(3, 0, 1, 2), layer["bias"]]
            operator.opcodeIndex = 0
        operator.inputs = [tensor(None), *map(tensor, arrays)]
        operator.outputs = [tensor(None)]
        graph.operators.append(operator)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def layers(variables) -> dict[str, dict[str, np.ndarray]]:
    """Random parameters of all layers, in the original's order."""
    flat = flatten_dict(variables["params"], sep="/")
    rng = np.random.default_rng(0)
    made: dict[str, dict[str, np.ndarray]] = {name: {} for name in layer_names()}
    for path, array in flat.items():
        name, _, kind = path.rpartition("/")
        made[name][kind] = rng.normal(size=array.shape).astype(np.float32)
    return made


def test_each_layer_of_a_file_becomes_ours(layers, tmp_path):
    path = tmp_path / "face.tflite"
    path.write_bytes(tflite(layers))
    found = flatten_dict(mobilefacenet.tflite_variables(path)["params"], sep="/")
    assert len(found) == sum(map(len, layers.values()))
    for name, layer in layers.items():
        for kind, array in layer.items():
            np.testing.assert_array_equal(found[f"{name}/{kind}"], array)


def test_other_files_are_reported(layers, tmp_path):
    path = tmp_path / "face.tflite"
    fewer = {name: layer for name, layer in layers.items() if name != "last"}
    wider = layers | {"stem_prelu": {"scale": np.zeros(65, np.float32)}}
    for data, message in (
        (b"no network", "not a TensorFlow Lite file"),
        (tflite(fewer), "84 layers, wanted 85"),
        (tflite(wider), r"stem_prelu/scale is \(65,\), wanted \(64,\)"),
    ):
        path.write_bytes(data)
        with pytest.raises(mobilefacenet.TfliteError, match=message):
            mobilefacenet.tflite_variables(path)
    with pytest.raises(mobilefacenet.TfliteError, match=r"none\.tflite"):
        mobilefacenet.tflite_variables(tmp_path / "none.tflite")
