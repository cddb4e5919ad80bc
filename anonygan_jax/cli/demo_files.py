"""The folder of the page's uploads and results, deleted whatever ends the page."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

PREFIX = "anonygan_demo_"
ENDS = (signal.SIGTERM, signal.SIGHUP)  # beside SIGINT, which Python raises itself


@contextlib.contextmanager
def upload_folder() -> Iterator[pathlib.Path]:
    """Gives a new folder that only this user can read; it is deleted in the end.

    Folders of this user's pages that were killed are deleted, too: a page locks its
    folder, and the system unlocks those of dead processes.

    Raises:
      OSError: the folder for temporary files cannot be written to.
    """
    for old in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        _delete_if_dead(old)
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[pathlib.Path, int]:
    """A new folder and its lock."""
    while True:
        folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if folder.exists():  # another page did not delete it before it was locked
            return folder, lock
        os.close(lock)


def _delete_if_dead(folder: pathlib.Path) -> None:
    """Deletes a folder of this user that no process has locked."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return  # another user's, or gone
    try:
        if os.fstat(opened).st_uid == os.getuid():
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # of a page that is served
    finally:
        os.close(opened)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Context that SIGTERM and SIGHUP leave by an exception, so that files are deleted.

    Raises:
      SystemExit: one of the signals came; with the exit code of a killed process.
    """

    def end(number: int, _: FrameType | None) -> None:
        for other in (signal.SIGINT, *ENDS):  # a second one must not stop deleting
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
