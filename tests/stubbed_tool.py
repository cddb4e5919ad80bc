"""The command `anonygan anonymise` with a stub of a detector, killed where asked.

`python tests/stubbed_tool.py` reads a request a line, JSON: the arguments, and of the
how manyeth change of the disk the process is killed or gets an error. Each is run in a
process of its own, forked from this one. The answer is the exit code and the screen.
"""

import errno
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
from typing import Any

ROOT = pathlib.Path(__file__).parent.parent
CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.symlink")
WRITE_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class StubbedTool:
    """A process that runs the command again and again."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT), *sys.path])
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def __call__(self, *arguments: object, **fault: Any) -> tuple[int, str]:
        """Returns the exit code, negative of a signal, and the screen.

        Args:
          fault: at, the number of a change of the disk; kind, "kill" or "error".
        """
        assert self._process.stdin
        assert self._process.stdout
        request = {"arguments": [str(a) for a in arguments], **fault}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return tuple(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


def _plant(root: str, at: int, kind: str) -> None:
    """Kills this process, or raises, at a change of the disk below a folder."""
    count = 0

    def hook(event: str, arguments: tuple) -> None:
        nonlocal count
        is_change = event in CHANGES or (
            event == "open" and (arguments[2] or 0) & WRITE_FLAGS
        )
        if not is_change or not str(arguments[0]).startswith(root):
            return
        count += 1
        if count == at and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if count >= at and kind == "error":
            raise OSError(errno.ENOSPC, "No space left on device", str(arguments[0]))

    sys.addaudithook(hook)


def _stub() -> None:
    """Replaces detector and video by stubs, and processes by threads."""
    import numpy as np

    from anonygan_jax.anonymise.anonymiser import Anonymiser
    from anonygan_jax.anonymise.batch import video_steps
    from anonygan_jax.anonymise.errors import NoFaceError, VideoError
    from anonygan_jax.anonymise.results import REPLACED, TrackReport
    from anonygan_jax.anonymise.settings import Settings
    from anonygan_jax.anonymise.video.anonymise import VideoResult
    from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecords
    from anonygan_jax.detection.detector import Detection
    from anonygan_jax.faces.face import Face
    from anonygan_jax.io.atomic_write import atomic_write
    from anonygan_jax.io.worker_pool import WorkerPool

    (known,) = FaceRecords(EMBEDDED_COMPOSITES).read([0])
    low = known.points_xy.min(0)
    shape = (4 + 16 * (known.points_xy - low) / np.ptp(known.points_xy, 0)).astype("f")

    class Detector:
        """Finds one face in photos that begin with a bright pixel."""

        landmarker = None

        def __call__(self, photo: np.ndarray) -> list[Face]:
            if photo[0, 0].max() < 128:
                return []
            return [self.face(photo, Detection(np.array([4.0, 4, 20, 20])))]

        def face(self, _: np.ndarray, found: Detection) -> Face:
            return Face(shape, found.box_xyxy, found.score)

    def find(_anonymiser, _settings, task):
        contents = task.photo.read_bytes()
        if contents.startswith(b"broken"):
            raise VideoError(f"{task.photo}: cannot be decoded")
        if contents.startswith(b"nobody"):
            raise NoFaceError("no face found in 3 frames")
        task.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(_anonymiser, _settings, task):
        with atomic_write(task.staged) as partial:
            partial.write_bytes(b"anonymised " + task.photo.read_bytes())
        return VideoResult(3, 0, (TrackReport(REPLACED, None, (4, 4, 20, 20)),))

    anonymiser = Anonymiser("blackout", detector=Detector())
    Settings.anonymiser = lambda _: anonymiser
    video_steps.find, video_steps.write = find, write
    video_steps.plan = lambda *_: None
    WorkerPool.in_processes = classmethod(lambda cls, load, _: cls.in_thread(load()))


def _run(arguments: list[str], at: int = 0, kind: str = "", root: str = "") -> None:
    """Runs the command in this process, which ends."""
    from anonygan_jax.cli.anonymise import anonymise

    if at:
        _plant(root, at, kind)
    try:
        anonymise.main(["--method", "blackout", *arguments])
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(99)


def _serve() -> None:
    _stub()
    for line in sys.stdin:
        with tempfile.TemporaryFile() as screen:
            child = os.fork()
            if not child:
                os.dup2(screen.fileno(), 1)
                os.dup2(screen.fileno(), 2)
                functools.partial(_run, **json.loads(line))()
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            screen.seek(0)
            text = screen.read().decode("utf-8", "replace")
        print(json.dumps([code, text]), flush=True)


if __name__ == "__main__":
    _serve()
