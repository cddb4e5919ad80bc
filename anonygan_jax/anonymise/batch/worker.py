"""One photo searched, one result written: the work that runs in any process."""

import dataclasses
import pathlib

from anonygan_jax.anonymise.anonymiser import NoFaceError
from anonygan_jax.anonymise.batch.outcomes import NO_FACE, FileResult
from anonygan_jax.anonymise.errors import try_file
from anonygan_jax.anonymise.photo.image_io import read_image, write_image
from anonygan_jax.anonymise.results import (
    PIXELATED,
    REPLACED,
    FaceReport,
    FoundFace,
    Plan,
)
from anonygan_jax.anonymise.settings import COPY, Settings
from anonygan_jax.anonymise.video.transcode import SUFFIXES
from anonygan_jax.faces.face import Face
from anonygan_jax.io.photos import PhotoError


@dataclasses.dataclass(frozen=True)
class Task:
    """A photo or video to anonymise.

    Attributes:
      photo: its file.
      name: what the draw of new faces depends on.
      output: where the result goes.
      stamp: see `journal.fingerprint_of`.
      known: faces that are known; None to search.
      earlier: what became of it in an earlier run; it is not done again.
    """

    photo: pathlib.Path
    name: str
    output: pathlib.Path
    fingerprint: str = ""
    known: list[Face] | None = None
    previous: FileResult | None = None

    @property
    def is_photo(self) -> bool:
        """Whether it is no video."""
        return self.photo.suffix.lower() not in SUFFIXES


Searched = tuple[Task, list[FoundFace] | FileResult]
Planned = tuple[Task, list[Plan] | FileResult]


class Worker:
    """Searches photos and writes results."""

    def __init__(self, settings: Settings) -> None:
        """Loads the method; raises as `Settings.anonymiser`."""
        self._settings = settings
        self.anonymiser = settings.anonymiser()
        step = getattr(self.anonymiser.replacer.method, "step", None)
        self.method = settings.method + (f" at step {step}" if step else "")

    def find(self, task: Task) -> Searched:
        """Returns a photo with its faces, or with what became of it."""
        if task.previous and not self.anonymiser.remembers:
            return task, task.previous
        found = try_file(task.photo, task.output, lambda: self._found(task))
        return task, found

    def write(self, planned: Planned) -> FileResult:
        """Returns what became of a photo, once its result is written."""
        task, plans = planned
        if task.previous:
            return task.previous
        if isinstance(plans, FileResult):
            return plans
        return try_file(task.photo, task.output, lambda: self._written(task, plans))

    def outcome(self, task: Task, faces: tuple[FaceReport, ...]) -> FileResult:
        """Returns the outcome of a photo or video whose result is written."""
        is_pixelated = any(face.status == PIXELATED for face in faces)
        return FileResult(
            str(task.photo),
            PIXELATED if is_pixelated else REPLACED,
            str(task.output),
            faces=faces,
            method=self.method,
            fingerprint=task.fingerprint,
        )

    def _found(self, task: Task) -> list[FoundFace] | FileResult:
        """The faces of a photo, or what became of it without any."""
        try:
            image = read_image(task.photo).image
            return self.anonymiser.find(image, task.known)
        except NoFaceError as error:
            return self.without_face(task, error)

    def _written(self, task: Task, plans: list[Plan]) -> FileResult:
        """What became of a photo whose faces are known."""
        picture = read_image(task.photo, self._settings.kept_metadata)
        result = self.anonymiser.hide(picture.image, plans)
        pixelated = [face.reason for face in result.faces if face.status == PIXELATED]
        if pixelated and self._settings.is_strict:
            raise PhotoError(f"a face would be pixelated ({pixelated[0]})")
        write_image(task.output, dataclasses.replace(picture, image=result.image))
        return self.outcome(task, result.faces)

    def without_face(self, task: Task, error: NoFaceError) -> FileResult:
        """Returns the outcome of a file without faces; a photo is copied if asked."""
        task.output.unlink(missing_ok=True)  # of an earlier run
        result = None
        if self._settings.no_face == COPY and task.is_photo:
            picture = read_image(task.photo, self._settings.kept_metadata)
            write_image(task.output, picture)
            result = str(task.output)
        return FileResult(
            str(task.photo),
            NO_FACE,
            result,
            reason=str(error),
            fingerprint=task.fingerprint,
        )
