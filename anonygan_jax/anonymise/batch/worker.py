"""Detection, planning and rendering of one photo or video, in any process."""

import dataclasses

from anonygan_jax.anonymise import results
from anonygan_jax.anonymise.batch import photo_steps
from anonygan_jax.anonymise.batch.contents import fingerprint_of
from anonygan_jax.anonymise.batch.file_results import (
    NO_FACE,
    ONLY_REGIONS,
    FileResult,
    try_file,
)
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.settings import COPY, Settings
from anonygan_jax.io.photos import PhotoError

# Of a photo; those of a video are in the folder `Task.scratch`: None.
Found = photo_steps.Pages | None
Plans = photo_steps.PagePlans | None
Searched = tuple[Task, Found | FileResult]
Planned = tuple[Task, Plans | FileResult]


class Worker:
    """Detects faces, plans them, and writes results where they are staged."""

    def __init__(self, settings: Settings) -> None:
        """Builds the anonymiser; raises as `Settings.anonymiser`."""
        self._settings = settings
        self.anonymiser = settings.anonymiser()
        step = self.anonymiser.methods[0].step
        self._method = settings.method + (f" at step {step}" if step else "")

    def find(self, task: Task) -> Searched:
        """Returns a file with its faces, or with its result if it has none."""
        if task.previous and not self.anonymiser.remembers:
            return task, task.previous

        def work() -> Searched:
            known = _with_fingerprint(task)
            return known, self._found(known)

        found = try_file(task.photo, work)
        return (task, found) if isinstance(found, FileResult) else found

    def plan(self, searched: Searched) -> Planned:
        """Returns a file with what is to be done with its faces; remembers people."""
        task, found = searched
        if isinstance(found, FileResult):
            return task, found
        return task, try_file(task.photo, lambda: self._plans(task, found))

    def plan_and_remember(
        self, job: tuple[Searched, IdentityMemory | None]
    ) -> tuple[Planned, IdentityMemory | None]:
        """Returns the same, and who is remembered now.

        Args:
          job: a file, and who is remembered; see `Anonymiser.memory`.
        """
        searched, self.anonymiser.memory = job
        return self.plan(searched), self.anonymiser.memory

    def write(self, planned: Planned) -> FileResult:
        """Returns the result of a file after writing it."""
        task, plans = planned
        if isinstance(plans, FileResult):
            return plans
        if task.previous:
            return task.previous
        return try_file(task.photo, lambda: self._written(task, plans))

    def _found(self, task: Task) -> Found | FileResult:
        """The faces of a file, or its result if it has none."""
        try:
            if not task.is_photo:
                # PyAV takes 0.1 s to import.
                from anonygan_jax.anonymise.batch import video_steps

                video_steps.find(self.anonymiser, self._settings, task)
                return None
            return photo_steps.find(self.anonymiser, self._settings, task)
        except NoFaceError as error:
            return task.previous or self._without_face(task, error)

    def _plans(self, task: Task, found: Found) -> Plans:
        """What is to be done with the faces of a file."""
        if found is not None:
            return photo_steps.plan(self.anonymiser, task, found)
        from anonygan_jax.anonymise.batch import video_steps

        video_steps.plan(self.anonymiser, task)
        return None

    def _written(self, task: Task, plans: Plans) -> FileResult:
        """The result of a file with faces, after writing it."""
        if plans is None:
            return self._video_written(task)
        done = photo_steps.write(self.anonymiser, self._settings, task, plans)
        result = self._file_result(task, done.faces)
        return dataclasses.replace(result, note=results.joined(result.note, done.note))

    def _video_written(self, task: Task) -> FileResult:
        """The result of a video with faces, after writing it."""
        from anonygan_jax.anonymise.batch import video_steps

        done = video_steps.write(self.anonymiser, self._settings, task)
        result = self._file_result(task, done.tracks)
        return dataclasses.replace(
            result,
            num_frames=done.num_frames,
            num_broken=done.num_broken,
            note=results.joined(result.note, done.note),
        )

    def _file_result(
        self, task: Task, faces: tuple[results.FaceReport, ...]
    ) -> FileResult:
        """The result of a file that is written and did not change meanwhile."""
        kind, reason, note = results.REPLACED, None, ""
        if any(face.status == results.PIXELATED for face in faces):
            kind = results.PIXELATED
        elif not faces:
            kind, reason, note = NO_FACE, "no face found", ONLY_REGIONS
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
        result, result_fingerprint, note = None, "", ""
        if self._settings.no_face == COPY and task.is_photo:
            note = photo_steps.copy(self._settings, task)
            result, result_fingerprint = str(task.output), fingerprint_of(task.staged)
        return FileResult(
            str(task.photo),
            NO_FACE,
            result,
            reason=str(error),
            fingerprint=_unchanged(task),
            result_fingerprint=result_fingerprint,
            note=note,
        )


def _with_fingerprint(task: Task) -> Task:
    """A task with the fingerprint that its file has now."""
    return dataclasses.replace(task, fingerprint=fingerprint_of(task.photo))


def _unchanged(task: Task) -> str:
    """The fingerprint of a task's file; raises if it has changed since the search."""
    if fingerprint_of(task.photo) != task.fingerprint:
        raise PhotoError("it changed while it was processed; run the command again")
    return task.fingerprint
