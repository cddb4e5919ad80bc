"""Packages that only some uses need: all are known, and named where one is missing."""

import ast
import importlib.metadata
import re
import sys

import pytest
from conftest import ROOT

from anonygan_jax.io import extras

# What packages of ours bring along: of TFDS, of etils, of TensorFlow.
BROUGHT = {"google", "fsspec", "keras"}


def _requirements() -> dict[str, list[str]]:
    """Names of packages by extra, in setup.py; "" for what every use needs."""
    calls = ast.walk(ast.parse((ROOT / "setup.py").read_text()))
    (keywords,) = (
        {k.arg: k.value for k in call.keywords}
        for call in calls
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "setup"
    )
    wanted = {"": ast.literal_eval(keywords["install_requires"])}
    wanted |= ast.literal_eval(keywords["extras_require"])
    return {
        extra: [re.split(r"[^\w.-]", text)[0] for text in texts]
        for extra, texts in wanted.items()
    }


def _modules(packages: list[str]) -> set[str]:
    """What can be imported of packages, and names of other files of theirs."""
    files = [importlib.metadata.distribution(name).files or [] for name in packages]
    return {file.parts[0].partition(".")[0] for part in files for file in part}


def _imported() -> set[str]:
    """Modules of others that this project imports, anywhere in a file."""
    found = set()
    for path in (ROOT / "anonygan_jax").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module))
    top = {name.partition(".")[0] for name in found}
    return top - sys.stdlib_module_names - {"anonygan_jax", "configs"} - BROUGHT


def test_what_is_imported_is_required_or_of_an_extra():
    required = _modules(_requirements()[""])
    optional = {name for names in extras.PACKAGES.values() for name in names}
    assert _imported() <= required | optional
    assert not required & optional


@pytest.mark.parametrize("extra", sorted(extras.PACKAGES.keys() - {"tpu"}))
def test_an_extra_installs_what_it_is_named_for(extra):
    apart = {"jax2onnx"}  # by a second command; of "tpu" launch/test.sh, in a folder
    assert set(extras.PACKAGES[extra]) - apart <= _modules(_requirements()[extra])


def test_a_missing_package_is_named_with_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(ModuleNotFoundError) as caught:
        import skimage.metrics  # noqa: F401
    line = extras.explained(caught.value)
    assert "skimage" in line
    assert line.endswith(": pip install 'anonygan_jax[evaluation]'")
    missing = extras.explained(ModuleNotFoundError("No module named 'av'", name="av"))
    assert missing == "No module named 'av': pip install 'anonygan_jax'"


def test_only_what_is_missing_is_refused(monkeypatch):
    extras.require("a use", "evaluation", "skimage", "sklearn")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert extras.are_installed("skimage")
    assert not extras.are_installed("skimage", "sklearn")
    with pytest.raises(extras.MissingPackage) as caught:
        extras.require("a use", "evaluation", "skimage", "sklearn")
    command = "pip install 'anonygan_jax[evaluation]'"
    assert str(caught.value) == f"a use needs sklearn: {command}"
