"""Atomic file writes: a temporary file, then a rename."""

import contextlib
import errno
import hashlib
import logging
import os
import pathlib
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from anonygan_jax.io import paths

logger = logging.getLogger(__name__)

_HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
_PROCESS = secrets.token_hex(4)  # others, in other containers, have had its number
# Host, process' number, process, and a random number: nobody else has such a name.
_TEMPORARY = re.compile(
    r"\.anonygan-([0-9a-f]{8})-([0-9]+)-([0-9a-f]{8})[0-9a-f]{8}\.partial(\.\w+)?"
)
# What `os.link` says on a disk without links, or of a file that has too many.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def temporary_path(path: pathlib.Path) -> pathlib.Path:
    """Returns a new name in a file's folder, with its suffix, for a temporary file."""
    token = f"{_HOST}-{os.getpid()}-{_PROCESS}{secrets.token_hex(4)}"
    return path.with_name(f".anonygan-{token}.partial{path.suffix}")


def is_temporary(path: pathlib.Path) -> bool:
    """Returns whether a name is one of `temporary_path`, of any process."""
    return _TEMPORARY.fullmatch(path.name) is not None


@contextlib.contextmanager
def atomic_write(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path, which is renamed to `path` when the block succeeds.

    A process that is killed leaves no half-written file at `path`, and a temporary file
    that `remove_leftovers` removes. An error in the block leaves the previous file at
    `path`. For a file in a bucket the temporary one is in another folder.

    Args:
      path: the file to write; its folder is made.

    Raises:
      OSError: the folder or the file cannot be written.
    """
    if paths.is_bucket(path):
        with tempfile.TemporaryDirectory(prefix="anonygan-") as folder:
            partial = pathlib.Path(folder) / path.name
            yield partial
            paths.upload(partial, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = temporary_path(path)
    try:
        yield partial
        _to_disk(partial)
        partial.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(partial)):
            raise named(error, path) from error
        raise
    finally:
        discard(partial)


def named(error: OSError, path: pathlib.Path) -> OSError:
    """Returns an error with a number again, with a file's name that a person knows."""
    return type(error)(error.errno, error.strerror, str(path))


def discard(path: pathlib.Path) -> None:
    """Removes a temporary file if there is one; a warning if it cannot be removed."""
    try:
        if os.path.lexists(path):
            path.unlink()
    except OSError as error:  # another one may say why
        logger.warning("a temporary file is left: %s", error)


def copy_whole(file: BinaryIO, path: pathlib.Path) -> None:
    """Writes an open file's whole contents to a path, atomically.

    Raises:
      OSError: it cannot be written.
    """
    file.seek(0)
    with atomic_write(path) as partial, partial.open("wb") as copy:
        shutil.copyfileobj(file, copy)


def rename_to_free(staged: pathlib.Path, path: pathlib.Path) -> None:
    """Gives a file another name in its folder, unless a file has it.

    On a disk without links an empty file takes the name first. A process that is killed
    at that moment leaves it there.

    Raises:
      FileExistsError: a file has the name.
      OSError: the folder cannot be written to.
    """
    try:
        os.link(staged, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        path.open("x").close()
        try:
            staged.replace(path)
        except OSError:
            path.unlink()
            raise
    else:
        staged.unlink()


def remove_leftovers(folder: pathlib.Path) -> None:
    """Removes temporary files and folders, but those of running processes.

    Which processes of other machines run is not known: their files are removed. No
    other machine may write into the folder: it must be locked. A warning names a file
    that cannot be removed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if e.name.startswith(".anonygan-")]
    except FileNotFoundError:
        return
    except OSError as error:
        logger.warning("%s: cannot be searched for temporary files (%s)", folder, error)
        return
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        if match and not _is_running(match[1], int(match[2]), match[3]):
            try:
                _remove(folder / name)
            except OSError as error:
                logger.warning("a temporary file is left: %s", error)


def _remove(path: pathlib.Path) -> None:
    """Removes a file or folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _to_disk(path: pathlib.Path) -> None:
    """Waits until a file is on the disk, so that a power cut leaves no empty file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _is_running(host: str, number: int, process: str) -> bool:
    """Whether a process runs on this machine."""
    if host != _HOST:
        return False
    if number == os.getpid():
        return process == _PROCESS
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True
