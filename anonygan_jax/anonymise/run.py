"""A run of the command: which files, in which order, what became of them."""

import contextlib
import pathlib
from collections.abc import Iterator

from anonygan_jax.anonymise.batch import Task, Worker, anonymise_photos, failed
from anonygan_jax.anonymise.faces import COVERED, REPLACED, Plan
from anonygan_jax.anonymise.journal import Journal, stamp_of
from anonygan_jax.anonymise.media import output_path
from anonygan_jax.anonymise.outcomes import NO_FACE, Outcome
from anonygan_jax.anonymise.pipeline import NoFaceError
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.anonymise.spool import face_of
from anonygan_jax.anonymise.tracks_file import (
    Known,
    Table,
    check_suffix,
    read_faces,
    written_tracks,
)
from anonygan_jax.anonymise.video import anonymise_video
from anonygan_jax.anonymise.video_analysis import Analysis
from anonygan_jax.anonymise.video_files import SUFFIXES, VideoError
from anonygan_jax.data.photos import PhotoError, PhotoFile, find_photos


class RunError(ValueError):
    """Inputs of which nothing can be made."""


class Run:
    """Photos, then videos, and what becomes of them, kept as they come."""

    def __init__(
        self,
        inputs: tuple[str, ...],
        output: pathlib.Path,
        settings: Settings,
        num_workers: int = 1,
        boxes: pathlib.Path | None = None,
        tracks: pathlib.Path | None = None,
    ) -> None:
        """Looks which files there are and what an earlier run did.

        Args:
          inputs: photos, videos, folders, .txt lists.
          output: folder of the results.
          settings: how.
          num_workers: processes for photos.
          boxes: table of faces that are known, see `tracks_file.read_faces`.
          tracks: table to write, of the faces that were found.

        Raises:
          FileNotFoundError: an input does not exist.
          RunError: there is no photo or video among the inputs.
          PhotoError: two files have one name.
          TracksError: a table cannot be read, or has another suffix.
        """
        found = find_photos(inputs)
        # Results of an earlier run in the input's folder are no input.
        if any(_is_in(output, pathlib.Path(folder)) for folder in inputs):
            found = [file for file in found if not _is_in(file.path, output)]
        self._photos = [file for file in found if file.has_photo_suffix]
        self._videos = [file for file in found if _is_video(file)]
        media = {*self._photos, *self._videos}
        self.not_media = [file.path for file in found if file not in media]
        if not media:
            raise RunError("no photo or video in the input")
        self._settings, self._output, self._num_workers = settings, output, num_workers
        self._known: Known | None = read_faces(boxes) if boxes else None
        self._tracks = tracks
        if tracks:
            check_suffix(tracks)
        about = {**settings.as_dict(), "boxes": str(boxes) if boxes else None}
        self._journal = Journal(output, about)

    def __len__(self) -> int:
        """Returns how many files there are."""
        return len(self._photos) + len(self._videos)

    def outcomes(self) -> Iterator[Outcome]:
        """Yields what became of each file, once its result is written.

        Raises:
          ValueError, ImportError: see `Settings.anonymiser`.
          OSError: the folder of results cannot be written to.
        """
        tasks, unusable = self._tasks()
        yield from unusable
        if all(task.earlier for task in tasks):
            yield from (task.earlier for task in tasks if task.earlier)
            return
        worker = Worker(self._settings)
        self._journal.start()
        with written_tracks(self._tracks) as table:
            for outcome in self._done(tasks, worker, table):
                self._journal.add(outcome)
                yield outcome

    def finish(self, outcomes: list[Outcome]) -> None:
        """Writes the report.

        Raises:
          OSError: it cannot be written.
        """
        self._journal.finish(sorted(outcomes, key=lambda outcome: outcome.photo))

    def _done(
        self, tasks: list[Task], worker: Worker, table: Table
    ) -> Iterator[Outcome]:
        """What became of each file."""

        def write_faces(task: Task, plans: list[Plan]) -> None:
            for number, plan in enumerate(plans):
                table(task.name, 0, 0.0, number, plan.found.face)

        photos = [task for task in tasks if not _is_video_path(task.photo)]
        yield from anonymise_photos(
            photos, self._settings, self._num_workers, write_faces, worker
        )
        for task in tasks[len(photos) :]:
            yield task.earlier or self._video(task, worker, table)

    def _video(self, task: Task, worker: Worker, table: Table) -> Outcome:
        """What became of a video, once its result is written."""

        def write_faces(analysis: Analysis) -> None:
            for frame, rows in analysis.spool.by_frame():
                for row in rows:
                    face, seconds = face_of(row), float(row["seconds"])
                    table(task.name, frame, seconds, int(row["track"]), face)

        try:
            done = anonymise_video(
                worker.anonymiser,
                task.photo,
                task.output,
                task.name,
                self._settings.search_every,
                self._settings.keep_audio,
                self._settings.kept_metadata,
                None if self._known is None else self._known.get(task.name, {}),
                write_faces,
                self._settings.is_strict,
            )
        except NoFaceError as error:
            with contextlib.suppress(OSError):
                task.output.unlink(missing_ok=True)
            path = str(task.photo)
            return Outcome(path, NO_FACE, reason=str(error), stamp=task.stamp)
        except Exception as error:  # whatever fails, the other files go on
            with contextlib.suppress(OSError):
                task.output.unlink(missing_ok=True)
            return failed(task.photo, error)
        is_covered = any(track.verdict == COVERED for track in done.tracks)
        return Outcome(
            str(task.photo),
            COVERED if is_covered else REPLACED,
            str(task.output),
            faces=done.tracks,
            method=worker.method,
            stamp=task.stamp,
            num_frames=done.num_frames,
            num_broken=done.num_broken,
        )

    def _tasks(self) -> tuple[list[Task], list[Outcome]]:
        """What is to be done, photos first; outcomes of what cannot be."""
        tasks, unusable = [], []
        for file in (*self._photos, *self._videos):
            try:
                tasks.append(self._task(file))
            except (PhotoError, VideoError) as error:
                unusable.append(failed(file.path, error))
        return tasks, unusable

    def _task(self, file: PhotoFile) -> Task:
        """A file, and what is known of it."""
        stamp = stamp_of(file.path)
        output = output_path(file, self._output)
        known = None
        if _is_video(file):
            output = (self._output / file.name).with_suffix(".mp4")
            if output.resolve() == file.path.resolve():
                raise VideoError("--output would overwrite it; choose another")
        elif self._known is not None:
            known = self._known.get(file.name, {}).get(0, [])
        earlier = self._journal.earlier(str(file.path), stamp)
        if self._tracks:  # all faces must be in the table
            earlier = None
        return Task(file.path, file.name, output, stamp, known, earlier)


def _is_video(file: PhotoFile) -> bool:
    return _is_video_path(file.path)


def _is_video_path(path: pathlib.Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _is_in(path: pathlib.Path, folder: pathlib.Path) -> bool:
    """Whether a file or folder lies in a folder."""
    return folder.resolve() in path.resolve().parents
