"""Generators in ONNX files draw what Flax draws, and the tool takes them."""

import pathlib
import shutil
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from anonygan_jax.cli.main import main
from anonygan_jax.io.onnx_file import OnnxFile
from anonygan_jax.methods import make_methods
from anonygan_jax.methods.flax_generator import FlaxGenerator
from anonygan_jax.weights import export
from anonygan_jax.weights.checkpoint_folder import (
    CheckpointError,
    checkpoint_path,
    read_config,
)
from anonygan_jax.weights.drawing import input_shapes
from anonygan_jax.weights.export import ONNX, export_generator
from configs import ciagan


def _inputs(folder: pathlib.Path, batch: int) -> list[np.ndarray]:
    """Images of noise, and landmarks inside the image and outside."""
    rng = np.random.default_rng(batch)
    shapes = input_shapes(read_config(folder))
    return [
        rng.uniform(
            *((-40, 140) if name.endswith("points_xy") else (0, 1)), size
        ).astype(np.float32)
        for name, size in (
            (name, (batch, *shape[1:])) for name, shape in shapes.items()
        )
    ]


def _check_same(folder: pathlib.Path, onnx: pathlib.Path, atol: float) -> None:
    """Asserts that both draw the same, alone and in a batch."""
    flax, network = FlaxGenerator(folder), OnnxFile(onnx / "generator.onnx")
    assert network.notes()["step"] == str(flax.step)
    for batch in (1, 3):
        inputs = _inputs(folder, batch)
        (drawn,) = network(*inputs)
        assert np.ptp(drawn) > 0.1
        np.testing.assert_allclose(drawn, flax(*inputs), rtol=0, atol=atol)


def test_the_file_in_the_package_draws_as_its_weights_do():
    folder = checkpoint_path("embedded")
    _check_same(folder, folder, 1e-5)


@pytest.fixture(scope="module")
def exported(refine_run, tmp_path_factory) -> pathlib.Path:
    """A tiny run's generator for ONNX Runtime."""
    output = tmp_path_factory.mktemp("onnx") / "export"
    arguments = [str(refine_run), "--output", str(output), "--format", "onnx"]
    result = CliRunner().invoke(main, ["export", *arguments])
    assert result.exit_code == 0, result.output
    assert "generator.onnx" in result.output
    return output


def test_an_export_draws_as_the_weights_in_half_precision_do(
    refine_run, exported, tmp_path
):
    export_generator(refine_run, tmp_path / "orbax")
    _check_same(tmp_path / "orbax", exported, 1e-5)


def test_the_tool_draws_with_an_export(refine_run, exported, faces, conditions):
    (flax,) = make_methods("anonygan", str(refine_run))
    (onnx,) = make_methods("anonygan", str(exported))
    assert onnx.step == flax.step
    apart = onnx(faces, conditions).astype(int) - flax(faces, conditions)
    assert np.abs(apart).max() <= 1


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_damaged_file_is_a_checkpoint_error(exported, tmp_path, content):
    folder = shutil.copytree(exported, tmp_path / "export")
    file = folder / "generator.onnx"
    file.write_bytes(file.read_bytes()[:-1000] if content is None else content)
    with pytest.raises(CheckpointError, match=r"generator\.onnx: damaged, or not from"):
        make_methods("anonygan", str(folder))


def test_a_missing_converter_is_one_line(refine_run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jax2onnx", None)
    monkeypatch.setattr(export, "load_generator", None)  # it may take minutes
    output = tmp_path / "out"
    arguments = [str(refine_run), "--output", str(output), "--format", "onnx"]
    result = CliRunner().invoke(main, ["export", *arguments])
    assert result.exit_code == 1
    assert result.output.startswith("Error: --format onnx needs jax2onnx: pip install")
    assert result.output.count("\n") == 1
    assert not output.exists()


@pytest.mark.slow
def test_ciagan_s_export_draws_as_its_weights_do(write_untrained, tmp_path):
    config = ciagan.get_config("tiny").unlock()
    config.data.directory = "embedded"
    config.model.num_identities = 56
    run = write_untrained(config, tmp_path / "run")
    export_generator(run, tmp_path / "orbax")
    export_generator(run, tmp_path / "onnx", file_format=ONNX)
    _check_same(tmp_path / "orbax", tmp_path / "onnx", 1e-5)
