"""Configs found by their names."""

import subprocess
import sys

import pytest
from conftest import ROOT

from anonygan_jax.training import config_files


@pytest.mark.parametrize(
    ("argument", "ends"),
    [
        ("--config=celeba", "/configs/celeba.py"),
        ("--config=celeba:tiny", "/configs/celeba.py:tiny"),
        ("--config=configs/celeba.py:tiny", "/configs/celeba.py:tiny"),
        ("--config=celeba.py", "/configs/celeba.py"),
    ],
)
def test_a_name_is_found_from_any_folder(argument, ends, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (_, changed) = config_files.with_config_path(["main", argument])
    assert changed.endswith(ends)
    assert (*config_files.with_config_path(["main", *argument.split("=")]),) == (
        "main",
        "--config",
        changed.removeprefix("--config="),
    )


def test_files_that_exist_and_unknown_names_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "celeba.py").touch()
    for argument in ("--config=celeba.py:tiny", "--config=other", "--workdir=celeba"):
        assert config_files.with_config_path(["main", argument]) == ["main", argument]


def test_configs_import_each_other_from_any_folder(tmp_path):
    code = (
        "from anonygan_jax.training import config_files as f; f.make_importable(); "
        "from configs import lfw; print(lfw.get_config().system)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "anonygan\n"
