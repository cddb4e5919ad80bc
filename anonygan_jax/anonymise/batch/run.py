"""A run of the command: its files, their order and their results."""

import dataclasses
import pathlib
from collections.abc import Iterator

from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult, try_file
from anonygan_jax.anonymise.batch.journal import Journal, fingerprint_of
from anonygan_jax.anonymise.batch.pool import (
    PhotoWorkersMaker,
    anonymise_photos,
    processes,
)
from anonygan_jax.anonymise.batch.table import (
    Known,
    Table,
    check_suffix,
    read_faces,
    written_tracks,
)
from anonygan_jax.anonymise.batch.worker import Task, Worker
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.photo.image_io import output_path
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.anonymise.video.analysis import Analysis
from anonygan_jax.anonymise.video.anonymise import anonymise_video, remember_people
from anonygan_jax.anonymise.video.detection_store import NO_TRACK, face_of
from anonygan_jax.io.photos import VIDEO_SUFFIXES, PhotoError, PhotoFile, find_photos


class RunError(ValueError):
    """Inputs without a photo or video."""


class BatchRun:
    """Photos, then videos; each result is added to the journal.

    Attributes:
      not_media: files of the input that are neither photos nor videos.
    """

    def __init__(
        self,
        inputs: tuple[str, ...],
        output: pathlib.Path,
        settings: Settings,
        make_pool: PhotoWorkersMaker = processes,
        boxes: pathlib.Path | None = None,
        tracks: pathlib.Path | None = None,
    ) -> None:
        """Lists the files, and reads the results of an earlier run.

        Args:
          inputs: photos, videos, folders, .txt lists.
          boxes: table of faces found by other means, see `table.read_faces`.
          tracks: table to write, of the faces that are detected.

        Raises:
          FileNotFoundError: an input does not exist.
          RunError: there is no photo or video among the inputs.
          TracksError: a table cannot be read, or has another suffix.
        """
        found = find_photos(inputs)
        # Results of an earlier run in the input's folder are no input.
        if any(_is_in(output, pathlib.Path(folder)) for folder in inputs):
            found = [file for file in found if not _is_in(file.path, output)]
        self._photos = [file for file in found if file.has_photo_suffix]
        self._videos = [f for f in found if f.path.suffix.lower() in VIDEO_SUFFIXES]
        media = {*self._photos, *self._videos}
        self.not_media = [file.path for file in found if file not in media]
        if not media:
            raise RunError("no photo or video in the input")
        self._settings, self._output, self._make_pool = settings, output, make_pool
        self._known: Known | None = read_faces(boxes) if boxes else None
        self._tracks = tracks
        if tracks:
            check_suffix(tracks)
        about = {**dataclasses.asdict(settings), "boxes": str(boxes) if boxes else None}
        self._journal = Journal(output, about)

    def __len__(self) -> int:
        """Returns the number of files."""
        return len(self._photos) + len(self._videos)

    def results(self) -> Iterator[FileResult]:
        """Yields the result of each file after writing it.

        Raises:
          ValueError, ImportError: see `Settings.anonymiser`.
          OSError: the folder of results cannot be written to.
        """
        tasks, unusable = self._tasks()
        yield from unusable
        if all(task.previous for task in tasks):
            yield from (task.previous for task in tasks if task.previous)
            return
        worker = Worker(self._settings)
        self._journal.start()
        with written_tracks(self._tracks) as table:
            for result in self._process(tasks, worker, table):
                self._journal.add(result)
                yield result

    def finish(self, results: list[FileResult]) -> None:
        """Writes the report.

        Raises:
          OSError: it cannot be written.
        """
        self._journal.finish(sorted(results, key=lambda result: result.photo))

    def _process(
        self, tasks: list[Task], worker: Worker, table: Table
    ) -> Iterator[FileResult]:
        """Results of all files: photos, then videos."""

        def write_faces(task: Task, plans: list[Plan]) -> None:
            for number, plan in enumerate(plans):
                table(task.name, 0, 0.0, number, plan.found.face)

        photos = [task for task in tasks if task.is_photo]
        videos = [task for task in tasks if not task.is_photo]
        with self._make_pool(self._settings, worker) as pool:
            yield from anonymise_photos(photos, pool, worker, write_faces)
        for number, task in enumerate(videos):
            if not task.previous:
                yield self._video(task, worker, table)
            elif all(later.previous for later in videos[number:]):
                yield task.previous
            else:
                yield self._remembered(task, task.previous, worker)

    def _remembered(
        self, task: Task, previous: FileResult, worker: Worker
    ) -> FileResult:
        """The earlier result of a video, whose people are remembered for later ones."""

        def work() -> FileResult:
            if worker.anonymiser.remembers:
                every = self._settings.search_every
                remember_people(
                    worker.anonymiser, task.photo, task.name, every, task.known
                )
            return previous

        return try_file(task.photo, task.output, work)

    def _video(self, task: Task, worker: Worker, table: Table) -> FileResult:
        """The result of a video after writing it."""
        settings = self._settings

        def write_faces(analysis: Analysis) -> None:
            for frame, rows in analysis.store.by_frame():
                for row in rows[rows["track"] != NO_TRACK]:
                    face, seconds = face_of(row), float(row["seconds"])
                    table(task.name, frame, seconds, int(row["track"]), face)

        def work() -> FileResult:
            try:
                done = anonymise_video(
                    worker.anonymiser,
                    task.photo,
                    task.output,
                    seed=task.name,
                    search_every=settings.search_every,
                    keep_audio=settings.keep_audio,
                    kept_metadata=settings.kept_metadata,
                    known=task.known,
                    on_analysis=write_faces,
                    is_strict=settings.is_strict,
                )
            except NoFaceError as error:
                return worker.without_face(task, error)
            return dataclasses.replace(
                worker.file_result(task, done.tracks),
                num_frames=done.num_frames,
                num_broken=done.num_broken,
                note=done.note,
            )

        return try_file(task.photo, task.output, work)

    def _tasks(self) -> tuple[list[Task], list[FileResult]]:
        """Tasks, photos first, and results of files that cannot be processed."""
        tasks: list[Task] = []
        unusable: list[FileResult] = []
        taken: dict[pathlib.Path, pathlib.Path] = {}
        for file in (*self._photos, *self._videos):
            try:
                tasks.append(self._task(file, self._output_of(file, taken)))
            except PhotoError as error:
                reason = str(error).removeprefix(f"{file.path}: ")
                unusable.append(FileResult(str(file.path), FAILED, reason=reason))
        return tasks, unusable

    def _output_of(
        self, file: PhotoFile, taken: dict[pathlib.Path, pathlib.Path]
    ) -> pathlib.Path:
        """Path of a file's result, which is added to `taken`, result -> file.

        Raises:
          PhotoError: the path is that of the original, or of another file's result.
        """
        output = output_path(file, self._output)
        first = taken.setdefault(output, file.path)
        if first != file.path:
            raise PhotoError(f"its result would have the name of {first}'s; rename one")
        return output

    def _task(self, file: PhotoFile, output: pathlib.Path) -> Task:
        """The task of a file."""
        fingerprint = fingerprint_of(file.path)
        known = None if self._known is None else self._known.get(file.name, {})
        previous = None  # with a table, which must have the faces of all files
        if not self._tracks:
            previous = self._journal.previous(str(file.path), fingerprint)
        return Task(file.path, file.name, output, fingerprint, known, previous)


def _is_in(path: pathlib.Path, folder: pathlib.Path) -> bool:
    """Whether a file or folder is in a folder."""
    return folder.resolve() in path.resolve().parents
