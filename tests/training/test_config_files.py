"""Configs found by their names."""

import pathlib
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
    (tmp_path / "folder").mkdir()
    for argument in (
        *("--config=celeba.py:tiny", "--config=other", "--workdir=celeba"),
        *("--config=", "--config=/gone/lfw.py:no_cm", "--config=folder/lfw.py"),
    ):
        assert config_files.with_config_path(["main", argument]) == ["main", argument]


def test_a_folder_of_a_configs_name_is_no_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "celeba").mkdir()
    (_, changed) = config_files.with_config_path(["main", "--config=celeba:tiny"])
    assert changed.endswith("/configs/celeba.py:tiny")


def _printed(folder: pathlib.Path, code: str) -> str:
    """What a program prints there after configs were made importable."""
    first = "from anonygan_jax.training import config_files as f; f.make_importable()"
    done = subprocess.run(
        [sys.executable, "-c", f"{first}; {code}"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_configs_of_the_folder_come_first(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "own.py").write_text("from configs import lfw\nX = lfw\n")
    code = "from configs import own; print(own.X.__name__)"
    assert _printed(tmp_path, code) == "configs.lfw\n"


def test_configs_import_each_other_from_any_folder(tmp_path):
    code = "from configs import lfw; print(lfw.get_config().system)"
    assert _printed(tmp_path, code) == "anonygan\n"
