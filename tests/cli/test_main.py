"""The group of commands: what it needs, and how it ends."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from anonygan_jax.cli import main

OPTIONAL = ("av", "dlib", "onnxruntime", "face_recognition_models", "gradio")
PROGRAM = """
import sys
sys.modules.update(dict.fromkeys(sys.argv.pop(1).split(",")))
from anonygan_jax.cli.main import main
main(prog_name="anonygan")
"""


def _without(packages: tuple[str, ...], *arguments: str) -> tuple[int, str]:
    """Exit code and screen of the command where packages cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(packages), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_without_optional_packages_there_is_help_and_training():
    code, screen = _without(OPTIONAL, "--help")
    assert code == 0, screen
    assert "anonymise     Replace every face in photos and videos." in screen
    for command in ("export", "port", "train-status"):
        code, screen = _without(OPTIONAL, command, "--help")
        assert code == 0, screen


@pytest.mark.parametrize("package", ["av"])
def test_a_command_without_its_packages_names_the_extra(package):
    code, screen = _without((package,), "demo")
    assert code == 1
    (line,) = screen.splitlines()
    assert package in line
    assert "pip install 'anonygan_jax[landmarks,demo]'" in line


def test_a_package_that_cannot_be_loaded_is_not_called_missing(monkeypatch):
    def load(_):
        raise ImportError("libGL.so.1: cannot open\nshared object file", name="cv2")

    monkeypatch.setattr(main.importlib, "import_module", load)
    result = CliRunner().invoke(main.main, ["port"])
    assert result.exit_code == 1
    expected = "Error: anonygan port: libGL.so.1: cannot open shared object file"
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
