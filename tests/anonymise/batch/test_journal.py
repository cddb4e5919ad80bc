"""Runs that go on where they were stopped."""

import json
import pathlib
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.anonymise.batch.journal import JOURNAL
from anonygan_jax.cli import main

ANONYMISE = ("anonymise", "--method")

pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture(scope="module")
def portraits(tmp_path_factory, embedded) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("portraits")
    for number, face in enumerate(embedded[:40:8]):
        Image.fromarray(face.image).save(folder / f"{number}.png")
    return folder


def _anonymise(*arguments: object, method: str = "warp"):
    words = [*ANONYMISE, method, *(str(argument) for argument in arguments)]
    return CliRunner().invoke(main.main, words)


def _inodes(folder: pathlib.Path) -> dict[str, int]:
    """Of the results; one that is written again is another."""
    return {path.name: path.stat().st_ino for path in folder.glob("[0-9].png")}


def test_a_second_run_writes_nothing_and_says_the_same(portraits, tmp_path):
    reports, inodes = [], []
    for _ in range(2):
        assert _anonymise(portraits, "--output", tmp_path).exit_code == 0
        reports.append((tmp_path / "report.json").read_text())
        inodes.append(_inodes(tmp_path))
    assert reports[0] == reports[1]
    assert inodes[0] == inodes[1]
    assert len(inodes[0]) == 5
    assert len(list(tmp_path.iterdir())) == 5 + 1  # and the report


def test_what_changed_or_is_gone_is_done_again(portraits, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for path in portraits.iterdir():
        (photos / path.name).write_bytes(path.read_bytes())
    arguments = (photos, "--output", out)
    _anonymise(*arguments, method="blur")
    before = _inodes(out)
    (out / "3.png").unlink()
    Image.open(photos / "1.png").save(photos / "1.png", compress_level=1)
    _anonymise(*arguments, method="blur")
    after = _inodes(out)
    assert {n for n in before if before[n] != after[n]} == {"1.png", "3.png"}
    _anonymise(*arguments, "--min-face", "5", method="blur")  # other settings
    assert not _inodes(out).items() & after.items()


def test_a_killed_run_goes_on_to_the_same_results(portraits, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    _anonymise(portraits, "--output", whole)
    command = [sys.executable, "-m", "anonygan_jax.cli.main", *ANONYMISE, "warp"]
    process = subprocess.Popen([*command, portraits, "--output", parts])
    journal = parts / JOURNAL
    while process.poll() is None and not (
        journal.exists() and len(journal.read_text().splitlines()) > 2
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (parts / "report.json").exists()
    for path in parts.glob("[0-9].png"):  # what is there is whole
        assert path.read_bytes() == (whole / path.name).read_bytes()
    with journal.open("a") as file:
        file.write('{"photo": "cut sho')
    done = _inodes(parts)
    assert _anonymise(portraits, "--output", parts).exit_code == 0
    assert _inodes(parts).items() & done.items()
    assert not [path for path in parts.iterdir() if path.name.startswith(".")]
    for path in whole.glob("*.png"):
        assert (parts / path.name).read_bytes() == path.read_bytes()
    one, two = (json.loads((f / "report.json").read_text()) for f in (whole, parts))
    assert one == two


def test_results_in_the_input_are_no_input(portraits, tmp_path):
    photo = tmp_path / "a.png"
    photo.write_bytes((portraits / "0.png").read_bytes())
    for _ in range(2):
        result = _anonymise(tmp_path, "--output", tmp_path / "out", method="blur")
        assert "of 1 files" in result.output
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


def test_a_folder_that_cannot_be_written_to_is_reported(portraits, tmp_path):
    (tmp_path / "file").write_text("no folder")
    result = _anonymise(portraits, "--output", tmp_path / "file" / "out")
    assert result.exit_code == 1
    assert "cannot write to" in result.output
