"""What the page does with an upload: the result, or one line why there is none."""

import functools
import os
import pathlib
import uuid
from collections.abc import Callable
from typing import Any

from anonygan_jax.anonymise.anonymiser import FACE, Anonymiser
from anonygan_jax.anonymise.batch.file_results import FileResult, try_file
from anonygan_jax.anonymise.conditions.selector import AUTO_CONDITION
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.photo.writing import write_photo
from anonygan_jax.anonymise.results import PIXELATED, FaceReport
from anonygan_jax.anonymise.video.anonymise import anonymise_video
from anonygan_jax.composites.bank import Bank, embedded_bank, load_bank
from anonygan_jax.io.onnx_device import CPU, default_device
from anonygan_jax.io.photos import read_photo
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied
from anonygan_jax.methods import EMBEDDED_CHECKPOINT, make_methods
from anonygan_jax.methods.method import Replacer

FITTING = "chosen to fit"
NOTHING: tuple[None, list, None] = (None, [], None)  # of a picture, a report and a file
Shown = tuple[Any, ...]  # three outputs of the page and a line


class Uploads:
    """Work on uploads in another process: a file that kills it is told, too."""

    def __init__(self, pool: WorkerPool[Any], device: str = CPU) -> None:
        """Takes processes; their worker is not used.

        Args:
          device: that runs the networks, see `onnx_device.resolve`.
        """
        self._pool, self._device = pool, device

    def anonymise_photo(
        self, photo: str | None, method: str, person: str, seed: int, checkpoint: str
    ) -> Shown:
        """Returns what `anonymise_photo` returns."""
        return self._shown(anonymise_photo, photo, method, person, seed, checkpoint)

    def anonymise_upload(
        self, video: str | None, method: str, person: str, checkpoint: str
    ) -> Shown:
        """Returns what `anonymise_upload` returns."""
        return self._shown(anonymise_upload, video, method, person, checkpoint)

    def _shown(self, work: Callable[..., Shown], *inputs: Any) -> Shown:
        """What the process returns, or in one line how it ended."""
        call = functools.partial(work, *inputs, self._device)
        (shown,) = self._pool.map(_called, [call], _lost)
        return shown


def no_worker() -> None:
    """Returns the worker of a process that needs none."""


def _called(_: Any, call: Callable[[], Shown]) -> Shown:
    """What a call returns, in another process."""
    return call()


def _lost(_: Any, error: WorkerDied) -> Shown:
    """What is shown if the process died."""
    return *NOTHING, f"**{error}.** There is no result."


@functools.lru_cache(maxsize=4)
def make_anonymiser(
    method: str, person: str, checkpoint: str, device: str = CPU
) -> Anonymiser:
    """Returns an anonymiser that remembers nobody."""
    with default_device(device):
        methods = make_methods(method, checkpoint)
        conditions: str | Bank = AUTO_CONDITION
        best = methods[0]
        takes_faces = isinstance(best, Replacer) and best.num_classes is None
        if takes_faces and person != FITTING:
            conditions = load_bank(embedded_bank()).of_person(person)
        return Anonymiser(methods, conditions=conditions, consistent=FACE)


def anonymise_photo(
    photo: str | None,
    method: str,
    person: str,
    seed: int,
    checkpoint: str = EMBEDDED_CHECKPOINT,
    device: str = CPU,
) -> Shown:
    """Returns before and after, rows of the report, a file to download, a summary."""
    if photo is None:
        return *NOTHING, "Drop a photo first."
    path = _file("anonymous.png")

    def work() -> Shown:
        image = read_photo(photo)
        anonymise = make_anonymiser(method, person, checkpoint, device)
        result = anonymise(image, seed=str(seed))
        write_photo(path, result.image)
        shown = (image, result.image)
        return shown, rows(result.faces), str(path), summary(result.faces)

    return _told(pathlib.Path(photo), work)


def anonymise_upload(
    video: str | None,
    method: str,
    person: str,
    checkpoint: str = EMBEDDED_CHECKPOINT,
    device: str = CPU,
) -> Shown:
    """Returns a file to show, rows of the report, the file again, a summary."""
    if video is None:
        return *NOTHING, "Drop a clip first."
    path = _file("anonymous.mp4")

    def work() -> Shown:
        anonymiser = make_anonymiser(method, person, checkpoint, device)
        done = anonymise_video(anonymiser, pathlib.Path(video), path)
        text = f"{summary(done.tracks)} {done.num_frames} frames"
        text += f", {done.note}." if done.note else "."
        return str(path), rows(done.tracks), str(path), text

    return _told(pathlib.Path(video), work)


def _told(upload: pathlib.Path, work: Callable[[], Shown]) -> Shown:
    """What work on an upload returns, or in one line why there is no result."""

    def work_or_no_face() -> Shown:
        try:
            return work()
        except NoFaceError:
            return *NOTHING, "**No face found.** There is no result."

    done = try_file(upload, work_or_no_face)
    if isinstance(done, FileResult):
        return *NOTHING, f"**{done.reason}** There is no result."
    return done


def rows(faces: tuple[FaceReport, ...]) -> list[list[str]]:
    """Returns the report as a table."""
    table = []
    for number, face in enumerate(faces, 1):
        happened = face.status + (f": {face.reason}" if face.reason else "")
        far = (face.distances or {}).items()
        distance = ", ".join(f"{name} {value:.2f}" for name, value in far)
        name = pathlib.Path(face.condition or "").stem.replace("_", " ")
        table.append([str(number), happened, name, distance])
    return table


def summary(faces: tuple[FaceReport, ...]) -> str:
    """Returns the summary: how many faces were hidden, and how many pixelated."""
    pixelated = sum(face.status == PIXELATED for face in faces)
    text = f"**{len(faces)} face{'s' * (len(faces) != 1)} hidden"
    return text + (f", {pixelated} of them pixelated.**" if pixelated else ".**")


def _file(name: str) -> pathlib.Path:
    """A new file in the folder that is deleted when the page is closed."""
    folder = pathlib.Path(os.environ["GRADIO_TEMP_DIR"]) / uuid.uuid4().hex
    folder.mkdir(parents=True)
    return folder / name
