"""Notebooks are valid, run code that exists and carry no outputs."""

import ast
import importlib
import json

import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "colabs").glob("*.ipynb"))


def _code(notebook) -> list[str]:
    cells = json.loads(notebook.read_text())["cells"]
    return ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_carries_no_outputs(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    assert all(not cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.name)
def test_names_what_the_package_has(notebook):
    lines = "\n".join(_code(notebook)).splitlines()
    tree = ast.parse("\n".join(line for line in lines if not line.startswith("%")))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [i for i in imports if i.module.split(".")[0] in ("anonygan_jax", "configs")]
    assert ours
    for node in ours:
        module = importlib.import_module(node.module)
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            assert hasattr(module, alias.name) or importlib.import_module(whole)
