"""The group of commands: what it needs, and how it ends."""

import re
import sys

import pytest
import tensorflow_datasets
import without_extras
from click.testing import CliRunner

from anonygan_jax.cli import main


@pytest.mark.parametrize("command", main.COMMANDS)
def test_without_extras_there_is_help(command):
    code, screen = without_extras.run("anonygan_jax.cli.main", command, "--help")
    assert code == 0, screen
    assert re.match(rf"Usage: .* {command} ", screen)


def test_an_evaluation_without_its_packages_is_refused_in_one_line(tmp_path):
    options = ["--originals", str(tmp_path), "--output", str(tmp_path / "out")]
    arguments = ("anonygan_jax.cli.main", "evaluate", *options)
    code, screen = without_extras.run(*arguments)
    assert code == 1
    (line,) = screen.splitlines()
    assert re.search("skimage|sklearn|matplotlib", line)
    assert line.endswith(": pip install 'anonygan_jax[evaluation]'")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("gradio", "demo", ["demo"]),
        ("mtcnn", "evaluation", ["anonymise", "a.jpg", "--detector", "mtcnn"]),
        ("apache_beam", "beam", ["anonymise", "a.jpg", "--beam", ""]),
        ("apache_beam", "beam", ["prepare", "--tfds", "lfw", "--beam", ""]),
        ("tensorflow", "evaluation", ["prepare", "--tfds", "lfw"]),
        ("importlib_resources", "evaluation", ["prepare", "--tfds", "celeb_a"]),
        ("gcsfs", "buckets", ["prepare", "gs://bucket/photos"]),
        ("s3fs", "buckets", ["prepare", "s3://bucket/photos"]),
        ("gcsfs", "buckets", ["train-status", "gs://bucket/run"]),
        ("jax2onnx", "onnx", ["export", ".", "--format", "onnx"]),
    ],
)
def test_a_missing_package_is_named_before_anything_is_done(
    package, extra, arguments, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").touch()
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(tensorflow_datasets, "load", None)  # it would download
    if arguments[0] not in ("demo", "train-status"):
        arguments = [*arguments, "--output", "out"]
    result = CliRunner().invoke(main.main, arguments)
    assert result.exit_code == 1, result.exception
    (line,) = result.output.splitlines()
    assert f"needs {package}: pip install 'anonygan_jax[{extra}]'" in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_a_package_that_cannot_be_loaded_is_not_called_missing(monkeypatch):
    def load(_):
        raise ImportError("libGL.so.1: cannot open\nshared object file", name="cv2")

    monkeypatch.setattr(main.importlib, "import_module", load)
    result = CliRunner().invoke(main.main, ["port"])
    assert result.exit_code == 1
    expected = "Error: libGL.so.1: cannot open shared object file"
    assert result.output.splitlines() == [expected]


def test_a_fault_of_the_package_is_not_hidden(monkeypatch):
    broken = main.COMMANDS["port"]._replace(module="anonygan_jax.cli.nothing")
    monkeypatch.setitem(main.COMMANDS, "port", broken)
    error = CliRunner().invoke(main.main, ["port"]).exception
    assert isinstance(error, ModuleNotFoundError)
    assert error.name == "anonygan_jax.cli.nothing"


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_each_command_has_its_name(name):
    result = CliRunner().invoke(main.main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: main {name} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["anonymise"],
        ["anonymise", "a.jpg", "--output", "out", "--workers", "0"],
        ["conditions", "build"],
        ["anonymize"],
        ["--versoin"],
        [],
    ],
)
def test_usage_errors_have_the_exit_code_of_a_run_that_could_not_begin(arguments):
    result = CliRunner().invoke(main.main, arguments)
    assert result.exit_code == 1
    assert "Usage: " in result.output


def test_an_empty_output_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    result = CliRunner().invoke(main.main, ["anonymise", "a.jpg", "--output", ""])
    assert result.exit_code == 1
    assert "is empty; name a folder" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
