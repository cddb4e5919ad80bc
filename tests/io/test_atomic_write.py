"""Atomic writes: whole or not at all, names of their own, no leftovers."""

import os
import pathlib
import subprocess
import sys
import threading

import pytest

from anonygan_jax.io.atomic_write import (
    atomic_write,
    is_temporary,
    remove_leftovers,
    temporary_path,
)

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


def test_leftovers_of_the_dead_are_removed_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    process = subprocess.Popen([sys.executable, "-c", KILLED, path])
    process.wait()
    (leftover,) = tmp_path.iterdir()
    assert is_temporary(leftover)
    mine = temporary_path(path)
    others = [
        mine,  # this process lives
        tmp_path / leftover.name.replace(leftover.name[10:18], "0" * 8),  # elsewhere
        tmp_path / f"{leftover.name}.png.txt",
        tmp_path / ".a.txt.partial.txt",
    ]
    for other in others:
        other.touch()
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == set(others)
    remove_leftovers(pathlib.Path(tmp_path / "no folder"))
