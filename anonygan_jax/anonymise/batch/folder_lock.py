"""A lock on a folder of results: its runs take turns."""

import contextlib
import logging
import pathlib
from collections.abc import Iterator

import filelock

logger = logging.getLogger(__name__)

LOCK = ".anonygan.lock"
MAX_TRIES = 100  # to make a folder that other runs remove


class OutputError(ValueError):
    """A folder for results that cannot be used."""


@contextlib.contextmanager
def locked(folder: pathlib.Path) -> Iterator[None]:
    """Makes a folder, and keeps other runs waiting until the block ends.

    If another run holds it, a warning says so and this one waits. A lock ends with its
    process, whatever ends that. Folders that were made are removed if they are empty.

    Raises:
      OutputError: the folder cannot be written to, or has another file of the lock's
        name.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        lock = _acquired(folder)
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error}") from error
    try:
        yield
    finally:
        try:  # those who wait notice, and make another
            (folder / LOCK).unlink(missing_ok=True)
        finally:
            lock.release()
        for empty in made:
            with contextlib.suppress(OSError):  # it is not empty
                empty.rmdir()


def _acquired(folder: pathlib.Path) -> filelock.FileLock:
    """The lock of a folder; a run that ends may remove that while it is acquired."""
    for _ in range(MAX_TRIES):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            return _acquired_at_once(folder)
    return _acquired_at_once(folder)


def _acquired_at_once(folder: pathlib.Path) -> filelock.FileLock:
    """The lock of a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    if path.is_symlink() or (path.exists() and path.stat().st_size):
        raise OutputError(f"{path}: not a lock of this tool; move it away")
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        logger.warning("%s: waiting for another run that writes there", folder)
        lock.acquire()
    return lock
