"""Detection and rendering of single photos and videos, which run in any process."""

import dataclasses
import pathlib
import pickle

from anonygan_jax.anonymise import results
from anonygan_jax.anonymise.batch.contents import fingerprint_of
from anonygan_jax.anonymise.batch.file_results import NO_FACE, FileResult, try_file
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.known_faces import check_known_faces
from anonygan_jax.anonymise.photo.image_io import read_image, write_image
from anonygan_jax.anonymise.settings import COPY, Settings
from anonygan_jax.anonymise.video.analysis import Analysis
from anonygan_jax.anonymise.video.anonymise import anonymise_video, remember_people
from anonygan_jax.anonymise.video.container import joined
from anonygan_jax.anonymise.video.detection_store import NO_TRACK, face_of
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.photos import PhotoError

Searched = tuple[Task, list[results.FoundFace] | FileResult]
Planned = tuple[Task, list[results.Plan] | FileResult]


@dataclasses.dataclass(frozen=True)
class VideoJob:
    """A video, and what a process needs to know to anonymise it.

    Attributes:
      memory: of the people in all files so far; see `Anonymiser.memory`.
      rows: file that gets the rows of a table of faces, pickled; None for no table.
    """

    task: Task
    memory: IdentityMemory | None
    rows: pathlib.Path | None = None


class Worker:
    """Detects faces and writes results where they are staged."""

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

        def work() -> Searched:
            known = _with_fingerprint(task)
            return known, self._found(known)

        found = try_file(task.photo, work)
        return (task, found) if isinstance(found, FileResult) else found

    def write(self, planned: Planned) -> FileResult:
        """Returns the result of a photo after writing it."""
        task, plans = planned
        if isinstance(plans, FileResult):
            return plans
        if task.previous:
            return task.previous
        return try_file(task.photo, lambda: self._written(task, plans))

    def video(self, job: VideoJob) -> tuple[FileResult, IdentityMemory | None]:
        """Returns the result of a video after writing it, and who is remembered now.

        Of a video with a previous result people are remembered, nothing is written.
        """
        self.anonymiser.memory = job.memory

        def work() -> FileResult:
            if job.task.previous:
                return self._remembered(job.task, job.task.previous)
            return self._transcoded(_with_fingerprint(job.task), job.rows)

        return try_file(job.task.photo, work), self.anonymiser.memory

    def _found(self, task: Task) -> list[results.FoundFace] | FileResult:
        """The faces of a photo, or its result if it has none."""
        try:
            image = read_image(task.photo).image
            if task.known is None:
                return self.anonymiser.find(image, seed=task.name)
            check_known_faces(task.known, 1, image.shape)
            return self.anonymiser.find(image, task.known.get(0, []), task.name)
        except NoFaceError as error:
            return task.previous or self._without_face(task, error)

    def _written(self, task: Task, plans: list[results.Plan]) -> FileResult:
        """The result of a photo with faces, after writing it."""
        photo = read_image(task.photo, self._settings.kept_metadata)
        result = self.anonymiser.render(photo.image, plans)
        pixelated = [
            face.reason for face in result.faces if face.status == results.PIXELATED
        ]
        if pixelated and self._settings.is_strict:
            raise PhotoError(f"a face would be pixelated ({pixelated[0]})")
        write_image(task.staged, dataclasses.replace(photo, image=result.image))
        return self._file_result(task, result.faces)

    def _remembered(self, task: Task, previous: FileResult) -> FileResult:
        """The earlier result of a video, whose people are remembered for later ones."""
        if self.anonymiser.remembers:
            every = self._settings.search_every
            remember_people(self.anonymiser, task.photo, task.name, every, task.known)
        return previous

    def _transcoded(self, task: Task, rows: pathlib.Path | None) -> FileResult:
        """The result of a video after writing it."""

        def write_rows(analysis: Analysis) -> None:
            if rows is not None:
                _write_rows(rows, task.name, analysis)

        settings = self._settings
        try:
            done = anonymise_video(
                self.anonymiser,
                task.photo,
                task.staged,
                seed=task.name,
                search_every=settings.search_every,
                keep_audio=settings.keep_audio,
                kept_metadata=settings.kept_metadata,
                known=task.known,
                on_analysis=write_rows,
                is_strict=settings.is_strict,
            )
        except NoFaceError as error:
            return self._without_face(task, error)
        result = self._file_result(task, done.tracks)
        return dataclasses.replace(
            result,
            num_frames=done.num_frames,
            num_broken=done.num_broken,
            note=joined(result.note, done.note),
        )

    def _file_result(
        self, task: Task, faces: tuple[results.FaceReport, ...]
    ) -> FileResult:
        """The result of a file that is written and did not change meanwhile."""
        kind, reason, note = results.REPLACED, None, ""
        if any(face.status == results.PIXELATED for face in faces):
            kind = results.PIXELATED
        elif not faces:
            kind, reason, note = NO_FACE, "no face found", "only regions are pixelated"
        return FileResult(
            str(task.photo),
            kind,
            str(task.output),
            reason=reason,
            faces=faces,
            note=note,
            method=self._method,
            fingerprint=_unchanged(task),
            result_fingerprint=fingerprint_of(task.staged),
        )

    def _without_face(self, task: Task, error: NoFaceError) -> FileResult:
        """The result of a file without faces; a photo may be copied."""
        result, result_fingerprint = None, ""
        if self._settings.no_face == COPY and task.is_photo:
            photo = read_image(task.photo, self._settings.kept_metadata)
            write_image(task.staged, photo)
            result, result_fingerprint = str(task.output), fingerprint_of(task.staged)
        return FileResult(
            str(task.photo),
            NO_FACE,
            result,
            reason=str(error),
            fingerprint=_unchanged(task),
            result_fingerprint=result_fingerprint,
        )


def _with_fingerprint(task: Task) -> Task:
    """A task with the fingerprint that its file has now."""
    return dataclasses.replace(task, fingerprint=fingerprint_of(task.photo))


def _unchanged(task: Task) -> str:
    """The fingerprint of a task's file; raises if it has changed since the search."""
    if fingerprint_of(task.photo) != task.fingerprint:
        raise PhotoError("it changed while it was processed; run the command again")
    return task.fingerprint


def _write_rows(path: pathlib.Path, name: str, analysis: Analysis) -> None:
    """Writes rows of a table of faces: file, frame, seconds, track, face."""
    with atomic_write(path) as partial, partial.open("wb") as file:
        for frame, rows in analysis.store.by_frame():
            for row in rows[rows["track"] != NO_TRACK]:
                seconds, track = float(row["seconds"]), int(row["track"])
                pickle.dump((name, frame, seconds, track, face_of(row)), file)
