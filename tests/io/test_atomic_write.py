"""Atomic writes: whole or not at all, names of their own, no leftovers."""

import errno
import multiprocessing
import os
import pathlib
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.io import atomic_write as atomic_write_file
from anonygan_jax.io.atomic_write import (
    atomic_write,
    is_temporary,
    remove_leftovers,
    rename_to_free,
    temporary_path,
)

SUFFIXES = (".mp4", ".webm", ".faces", ".png", ".tiff", ".npz", ".onnx")
KILLED = """
import os, pathlib, signal, sys
from anonygan_jax.io.atomic_write import atomic_write
with atomic_write(pathlib.Path(sys.argv[1])) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "sub" / "a.txt"
    with atomic_write(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    with pytest.raises(ZeroDivisionError), atomic_write(path) as partial:
        raise ZeroDivisionError
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_writers_of_one_file_do_not_meet(tmp_path):
    path, started = tmp_path / "a.txt", threading.Barrier(4)

    def write(text: str) -> None:
        with atomic_write(path) as partial:
            partial.write_text(text)
            started.wait()

    threads = [threading.Thread(target=write, args=(str(n) * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(path.read_text())) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_can_be_written(tmp_path):
    path = tmp_path / ("a" * 251 + ".png")
    with atomic_write(path) as partial:
        partial.write_text("x")
    assert path.read_text() == "x"


@given(
    name=st.binary(min_size=1, max_size=255)
    .filter(lambda b: b not in (b".", b"..") and not {0, 47} & set(b))
    .map(os.fsdecode)
    | st.builds(str.__add__, st.text("ab.", min_size=1), st.sampled_from(SUFFIXES))
)
def test_temporary_names_are_short_and_new(name):
    path = pathlib.Path("folder", f"a{name}")
    some = [temporary_path(path) for _ in range(3)]
    assert len(set(some)) == 3
    for other in some:
        assert len(os.fsencode(other.name)) <= 32
        assert other.parent == path.parent
        assert is_temporary(other)
        if path.suffix in SUFFIXES:
            assert other.suffix == path.suffix  # writers take the format from it


def test_temporary_names_of_a_process_and_of_those_that_it_forks_differ():
    names = [temporary_path(pathlib.Path("a.png")).name for _ in range(100_000)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        names += pool.map(_name, range(100), chunksize=10)
    assert len(set(names)) == len(names)


def _name(_: int) -> str:
    return temporary_path(pathlib.Path("a.png")).name


def test_leftovers_of_the_dead_are_removed_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    process = subprocess.Popen([sys.executable, "-c", KILLED, path])
    process.wait()
    (leftover,) = tmp_path.iterdir()
    assert is_temporary(leftover)
    mine = temporary_path(path)
    host, number, process = mine.name[9:13], mine.name[13:18], mine.name[18:22]
    of_parent = mine.name.replace(number, atomic_write_file._base_36(os.getppid(), 5))
    others = [
        mine,  # this process lives
        tmp_path / of_parent,  # and that one
        tmp_path / f"{leftover.name}.png.txt",
        tmp_path / ".a.txt.partial.txt",
    ]
    for other in others:
        other.touch()
    # Of containers that ended: each has its own host name, or each its first process.
    (tmp_path / mine.name.replace(host, "0" * 4)).touch()
    (tmp_path / mine.name.replace(process, "0" * 4)).touch()
    (tmp_path / temporary_path(path).name.replace(number, "z" * 5)).mkdir()
    # Of a version before: a result and a folder of what was found in a video.
    (tmp_path / f".anonygan-{'0' * 8}-1-{'0' * 16}.partial.pjpeg").touch()
    (tmp_path / f".anonygan-{'0' * 8}-123456-{'0' * 16}.partial.faces").mkdir()
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == set(others)
    remove_leftovers(pathlib.Path(tmp_path / "no folder"))


def _refuse_links(monkeypatch, number: int, comes: pathlib.Path | None = None) -> None:
    """A disk on which links fail, while another program writes a file."""

    def fails(*_):
        if comes:
            comes.write_text("an original")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fails)


@pytest.mark.parametrize("number", [None, errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_a_free_name_is_given_on_any_disk(number, tmp_path, monkeypatch):
    staged, path = tmp_path / "staged", tmp_path / "a.txt"
    staged.write_text("new")
    if number:
        _refuse_links(monkeypatch, number)
    rename_to_free(staged, path)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [None, errno.EPERM, errno.EIO])
def test_a_file_that_comes_meanwhile_is_not_replaced(number, tmp_path, monkeypatch):
    staged, path = tmp_path / "staged", tmp_path / "a.txt"
    staged.write_text("new")
    if number:
        _refuse_links(monkeypatch, number, comes=path)
    else:
        path.write_text("an original")
    wanted = errno.EIO if number == errno.EIO else errno.EEXIST
    with pytest.raises(OSError, match=os.strerror(wanted)):
        rename_to_free(staged, path)
    assert path.read_text() == "an original"


def test_a_rename_that_fails_leaves_no_empty_file(tmp_path, monkeypatch):
    _refuse_links(monkeypatch, errno.EPERM)
    with pytest.raises(FileNotFoundError):
        rename_to_free(tmp_path / "not there", tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def test_a_leftover_that_cannot_be_removed_ends_nothing(tmp_path, monkeypatch, caplog):
    left = tmp_path / f".anonygan-{'0' * 8}-1-{'0' * 16}.partial.png"
    left.touch()

    def fails(path: pathlib.Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    with monkeypatch.context() as planted:
        planted.setattr(pathlib.Path, "unlink", fails)
        remove_leftovers(tmp_path)
    assert f"a temporary file is left: [Errno 13] Permission denied: '{left}'" in (
        caplog.text
    )
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_file_is_named_on_a_full_disk(tmp_path, limited_files):
    path = tmp_path / "result.txt"
    with (
        limited_files(4),
        pytest.raises(OSError, match="File too large") as caught,
        atomic_write(path) as partial,
    ):
        partial.write_text("more than four bytes")
    assert caught.value.filename == str(path)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_its_place_is_named_once(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(IsADirectoryError) as caught, atomic_write(path) as partial:
        partial.write_text("text")
    assert str(caught.value).endswith(f"Is a directory: '{path}'")
