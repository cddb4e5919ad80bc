"""Atomic file writes: a temporary file, then a rename."""

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import pathlib
import re
import secrets
import shutil
import socket
import string
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from anonygan_jax.io import paths

logger = logging.getLogger(__name__)

_DIGITS = string.digits + string.ascii_lowercase
_START = ".anonygan"
_HOST = hashlib.sha256(socket.gethostname().encode()).digest()
_PROCESS = secrets.randbits(64)  # others, in other containers, have had its number
_count = itertools.count()
# Host, process' number, process, a number: with a suffix 32 bytes. A process has 1.7
# million names before they are used again.
_TEMPORARY = re.compile(
    r"\.anonygan([0-9a-z]{4})([0-9a-z]{5})([0-9a-z]{4})[0-9a-z]{4}(\.[0-9A-Za-z]{1,5})?"
)
_OF_EARLIER_VERSIONS = re.compile(
    r"\.anonygan-[0-9a-f]{8}-[0-9]+-[0-9a-f]{16}\.partial(\.\w+)?"
)
_SHORT_SUFFIX = re.compile(r"\.[0-9A-Za-z]{1,5}")
# What `os.link` says on a disk without links, or of a file that has too many.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def temporary_path(path: pathlib.Path) -> pathlib.Path:
    """Returns a new name in a file's folder for a temporary file.

    It has at most 32 bytes, and the file's suffix if that has at most 6: writers take
    the format from it.
    """
    suffix = path.suffix if _SHORT_SUFFIX.fullmatch(path.suffix) else ""
    name = f"{_START}{_host()}{_base_36(os.getpid(), 5)}{_process()}"
    return path.with_name(f"{name}{_base_36(next(_count), 4)}{suffix}")


def is_temporary(path: pathlib.Path) -> bool:
    """Returns whether a name is one of `temporary_path`, of any process or version."""
    patterns = (_TEMPORARY, _OF_EARLIER_VERSIONS)
    return any(pattern.fullmatch(path.name) for pattern in patterns)


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
            names = [e.name for e in entries if e.name.startswith(_START)]
    except FileNotFoundError:
        return
    except OSError as error:
        logger.warning("%s: cannot be searched for temporary files (%s)", folder, error)
        return
    for name in names:
        match = _TEMPORARY.fullmatch(name)
        is_used = match and _is_running(match[1], int(match[2], 36), match[3])
        if is_temporary(folder / name) and not is_used:
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
    if host != _host():
        return False
    if number == os.getpid():
        return process == _process()
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    return True


def _host() -> str:
    """This machine, in four digits."""
    return _base_36(int.from_bytes(_HOST), 4)


def _process() -> str:
    """This process and those that it forks, in four digits."""
    return _base_36(_PROCESS, 4)


def _base_36(number: int, length: int) -> str:
    """The last digits of a number; some disks have small letters alone."""
    return "".join(_DIGITS[number // 36**n % 36] for n in reversed(range(length)))
