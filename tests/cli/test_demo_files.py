"""Uploads are deleted whatever ends the page: its block, a signal, or a kill."""

import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import pytest

from anonygan_jax.cli import demo_files

PAGE = """
import signal, sys
from anonygan_jax.cli.demo_files import ended_by_signals, upload_folder
with ended_by_signals(), upload_folder() as folder:
    (folder / "upload").mkdir()
    (folder / "upload" / "face.jpg").write_bytes(b"a face")
    print(folder, flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> pathlib.Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


# Background jobs of a shell ignore SIGINT, and so would what they start.
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def _started(code: str = PAGE) -> tuple[subprocess.Popen, pathlib.Path]:
    page = subprocess.Popen(
        [sys.executable, "-c", HEARS + code], stdout=subprocess.PIPE, text=True
    )
    assert page.stdout
    return page, pathlib.Path(page.stdout.readline().strip())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_uploads_are_deleted_by_a_signal(number, temporary):
    page, folder = _started()
    assert (folder / "upload" / "face.jpg").exists()
    assert folder.stat().st_mode & 0o777 == 0o700
    page.send_signal(number)
    assert page.wait(30) in (128 + number, *(0, -number) * (number == signal.SIGINT))
    assert not list(temporary.iterdir())


def test_a_second_signal_does_not_stop_deleting(temporary, monkeypatch):
    code = PAGE.replace(
        "import signal, sys",
        "import os, shutil, signal, sys\n"
        "from anonygan_jax.cli import demo_files\n"
        "delete = shutil.rmtree\n"
        "def slow(*a, **k):\n"
        "    for number in (signal.SIGTERM, signal.SIGINT):\n"
        "        os.kill(os.getpid(), number)\n"
        "    delete(*a, **k)\n"
        "demo_files.shutil.rmtree = slow",
    )
    page, folder = _started(code)
    page.send_signal(signal.SIGTERM)
    page.wait(30)
    assert not folder.exists()


def test_uploads_of_a_killed_page_are_deleted_by_the_next(temporary):
    killed, killed_folder = _started()
    served, served_folder = _started()
    killed.send_signal(signal.SIGKILL)
    killed.wait(30)
    assert (killed_folder / "upload" / "face.jpg").exists()
    with demo_files.upload_folder() as folder:
        assert not killed_folder.exists()
        assert (served_folder / "upload" / "face.jpg").exists()
        assert folder.exists()
    served.send_signal(signal.SIGTERM)
    served.wait(30)
    assert not list(temporary.iterdir())


def test_only_own_folders_are_deleted(temporary, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").touch()
    (temporary / f"{demo_files.PREFIX}link").symlink_to(elsewhere)
    (temporary / f"{demo_files.PREFIX}file").touch()
    (temporary / "other_demo").mkdir()
    with demo_files.upload_folder():
        pass
    assert (elsewhere / "kept").exists()
    assert len(list(temporary.iterdir())) == 3


def test_folders_of_other_users_are_left(temporary, monkeypatch):
    (temporary / f"{demo_files.PREFIX}x").mkdir()
    user = os.getuid()
    monkeypatch.setattr(demo_files.os, "getuid", lambda: user + 1)
    with demo_files.upload_folder():
        pass
    assert (temporary / f"{demo_files.PREFIX}x").exists()


@pytest.mark.slow  # Gradio
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_deletes_uploads(number, temporary):
    assert importlib.util.find_spec("gradio")
    page = subprocess.Popen(
        [sys.executable, "-m", "anonygan_jax.cli.main", "demo"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert page.stdout
    assert "open http://127.0.0.1" in page.stdout.readline()
    (folder,) = temporary.glob(f"{demo_files.PREFIX}*")
    (folder / "upload.jpg").write_bytes(b"a face")
    page.send_signal(number)
    assert page.wait(60) in (0, 1, 128 + number)
    assert not folder.exists()
