"""One photo searched, one result written: the work that runs in any process."""

import dataclasses
import pathlib

from anonygan_jax.anonymise.anonymiser import NoFaceError
from anonygan_jax.anonymise.batch.outcomes import NO_FACE, Outcome
from anonygan_jax.anonymise.errors import made_or_failed
from anonygan_jax.anonymise.photo.image_io import read_picture, write_picture
from anonygan_jax.anonymise.results import (
    COVERED,
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
      stamp: see `journal.stamp_of`.
      known: faces that are known; None to search.
      earlier: what became of it in an earlier run; it is not done again.
    """

    photo: pathlib.Path
    name: str
    output: pathlib.Path
    stamp: str = ""
    known: list[Face] | None = None
    earlier: Outcome | None = None

    @property
    def is_photo(self) -> bool:
        """Whether it is no video."""
        return self.photo.suffix.lower() not in SUFFIXES


Searched = tuple[Task, list[FoundFace] | Outcome]
Planned = tuple[Task, list[Plan] | Outcome]


class Worker:
    """Searches photos and writes results."""

    def __init__(self, settings: Settings) -> None:
        """Loads the method; raises as `Settings.anonymiser`."""
        self._settings = settings
        self.anonymiser = settings.anonymiser()
        step = getattr(self.anonymiser.hider.method, "step", None)
        self.method = settings.method + (f" at step {step}" if step else "")

    def find(self, task: Task) -> Searched:
        """Returns a photo with its faces, or with what became of it."""
        if task.earlier and not self.anonymiser.remembers:
            return task, task.earlier
        found = made_or_failed(task.photo, task.output, lambda: self._found(task))
        return task, found

    def write(self, planned: Planned) -> Outcome:
        """Returns what became of a photo, once its result is written."""
        task, plans = planned
        if task.earlier:
            return task.earlier
        if isinstance(plans, Outcome):
            return plans
        return made_or_failed(
            task.photo, task.output, lambda: self._written(task, plans)
        )

    def outcome(self, task: Task, faces: tuple[FaceReport, ...]) -> Outcome:
        """Returns the outcome of a photo or video whose result is written."""
        is_covered = any(face.verdict == COVERED for face in faces)
        return Outcome(
            str(task.photo),
            COVERED if is_covered else REPLACED,
            str(task.output),
            faces=faces,
            method=self.method,
            stamp=task.stamp,
        )

    def _found(self, task: Task) -> list[FoundFace] | Outcome:
        """The faces of a photo, or what became of it without any."""
        try:
            image = read_picture(task.photo).image
            return self.anonymiser.find(image, task.known)
        except NoFaceError as error:
            return self.without_face(task, error)

    def _written(self, task: Task, plans: list[Plan]) -> Outcome:
        """What became of a photo whose faces are known."""
        picture = read_picture(task.photo, self._settings.kept_metadata)
        result = self.anonymiser.hide(picture.image, plans)
        covered = [face.because for face in result.faces if face.verdict == COVERED]
        if covered and self._settings.is_strict:
            raise PhotoError(f"a face would be covered ({covered[0]})")
        write_picture(task.output, dataclasses.replace(picture, image=result.image))
        return self.outcome(task, result.faces)

    def without_face(self, task: Task, error: NoFaceError) -> Outcome:
        """Returns the outcome of a file without faces; a photo is copied if asked."""
        task.output.unlink(missing_ok=True)  # of an earlier run
        result = None
        if self._settings.no_face == COPY and task.is_photo:
            picture = read_picture(task.photo, self._settings.kept_metadata)
            write_picture(task.output, picture)
            result = str(task.output)
        return Outcome(
            str(task.photo), NO_FACE, result, reason=str(error), stamp=task.stamp
        )
