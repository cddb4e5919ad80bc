"""Detection and rendering of single photos, which run in any process."""

import dataclasses
import pathlib

from anonygan_jax.anonymise import results
from anonygan_jax.anonymise.batch.file_results import NO_FACE, FileResult, try_file
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.photo.image_io import read_image, write_image
from anonygan_jax.anonymise.settings import COPY, Settings
from anonygan_jax.faces.face import Face
from anonygan_jax.io.photos import VIDEO_SUFFIXES, PhotoError


@dataclasses.dataclass(frozen=True)
class Task:
    """A photo or video to anonymise.

    Attributes:
      name: seed of the selection of conditions.
      fingerprint: see `journal.fingerprint_of`.
      known: faces by frame, 0 of a photo, found by other means; None to search.
      previous: result of an earlier run; the file is not processed again.
    """

    photo: pathlib.Path
    name: str
    output: pathlib.Path
    fingerprint: str = ""
    known: dict[int, list[Face]] | None = None
    previous: FileResult | None = None

    @property
    def is_photo(self) -> bool:
        """Whether the file is a photo, not a video."""
        return self.photo.suffix.lower() not in VIDEO_SUFFIXES


Searched = tuple[Task, list[results.FoundFace] | FileResult]
Planned = tuple[Task, list[results.Plan] | FileResult]


class Worker:
    """Detects faces and writes results."""

    def __init__(self, settings: Settings) -> None:
        """Builds the anonymiser; raises as `Settings.anonymiser`."""
        self._settings = settings
        self.anonymiser = settings.anonymiser()
        step = self.anonymiser.methods[0].step
        self._method = settings.method + (f" at step {step}" if step else "")

    def find(self, task: Task) -> Searched:
        """Returns a photo with its faces, or with its result if it has none."""
        if task.previous and not self.anonymiser.remembers:
            return task, task.previous
        found = try_file(task.photo, task.output, lambda: self._found(task))
        return task, found

    def write(self, planned: Planned) -> FileResult:
        """Returns the result of a photo after writing it."""
        task, plans = planned
        if task.previous:
            return task.previous
        if isinstance(plans, FileResult):
            return plans
        return try_file(task.photo, task.output, lambda: self._written(task, plans))

    def file_result(
        self, task: Task, faces: tuple[results.FaceReport, ...]
    ) -> FileResult:
        """Returns the result of a photo or video that is written."""
        is_pixelated = any(face.status == results.PIXELATED for face in faces)
        return FileResult(
            str(task.photo),
            results.PIXELATED if is_pixelated else results.REPLACED,
            str(task.output),
            faces=faces,
            method=self._method,
            fingerprint=task.fingerprint,
        )

    def _found(self, task: Task) -> list[results.FoundFace] | FileResult:
        """The faces of a photo, or its result if it has none."""
        try:
            image = read_image(task.photo).image
            known = None if task.known is None else task.known.get(0, [])
            return self.anonymiser.find(image, known)
        except NoFaceError as error:
            return self.without_face(task, error)

    def _written(self, task: Task, plans: list[results.Plan]) -> FileResult:
        """The result of a photo with faces, after writing it."""
        photo = read_image(task.photo, self._settings.kept_metadata)
        result = self.anonymiser.render(photo.image, plans)
        pixelated = [
            face.reason for face in result.faces if face.status == results.PIXELATED
        ]
        if pixelated and self._settings.is_strict:
            raise PhotoError(f"a face would be pixelated ({pixelated[0]})")
        write_image(task.output, dataclasses.replace(photo, image=result.image))
        return self.file_result(task, result.faces)

    def without_face(self, task: Task, error: NoFaceError) -> FileResult:
        """Returns the result of a file without faces; a photo may be copied."""
        task.output.unlink(missing_ok=True)  # of an earlier run
        result = None
        if self._settings.no_face == COPY and task.is_photo:
            photo = read_image(task.photo, self._settings.kept_metadata)
            write_image(task.output, photo)
            result = str(task.output)
        return FileResult(
            str(task.photo),
            NO_FACE,
            result,
            reason=str(error),
            fingerprint=task.fingerprint,
        )
