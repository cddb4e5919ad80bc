"""Atomic file writes: a temporary file, then a rename."""

import contextlib
import hashlib
import os
import pathlib
import re
import secrets
import shutil
import socket
from collections.abc import Iterator

_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
# Host, process and a random number: nobody else has such a name.
_TEMPORARY = re.compile(
    r"\.anonygan-([0-9a-f]{8})-([0-9]+)-[0-9a-f]{16}\.partial(\.\w+)?"
)


def temporary_path(path: pathlib.Path) -> pathlib.Path:
    """Returns a new name in a file's folder, with its suffix, for a temporary file."""
    token = f"{_HOST}-{os.getpid()}-{secrets.token_hex(8)}"
    return path.with_name(f".anonygan-{token}.partial{path.suffix}")


def is_temporary(path: pathlib.Path) -> bool:
    """Returns whether a name is one of `temporary_path`, of any process."""
    return _TEMPORARY.fullmatch(path.name) is not None


@contextlib.contextmanager
def atomic_write(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path, which is renamed to `path` when the block succeeds.

    A process that is killed leaves no half-written file at `path`, and a temporary file
    that `remove_leftovers` removes. An error in the block leaves the previous file at
    `path`.

    Args:
      path: the file to write; its folder is made.

    Raises:
      OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_path(path)
    try:
        yield partial
        _to_disk(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes temporary files and folders of processes of this machine that have ended.

    Raises:
      OSError: the folder cannot be read, or a file cannot be removed.
    """
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(".anonygan-")]
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        if match and match[1] == _HOST and not _is_running(int(match[2])):
            if (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)


def _to_disk(path: pathlib.Path) -> None:
    """Waits until a file is on the disk, so that a power cut leaves no empty file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _is_running(process: int) -> bool:
    """Whether there is a process of a number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True
