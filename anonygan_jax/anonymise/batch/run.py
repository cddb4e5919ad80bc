"""A run of the command: its files, their order and their results."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator

from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.file_results import LEFT_OUT, FileResult, try_file
from anonygan_jax.anonymise.batch.journal import REPORT
from anonygan_jax.anonymise.batch.known_table import Known, read_faces
from anonygan_jax.anonymise.batch.listing import list_files
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.batch.pool import (
    PhotoWorkers,
    PhotoWorkersMaker,
    anonymise_photos,
    anonymise_videos,
    processes,
)
from anonygan_jax.anonymise.batch.table import (
    Table,
    check_table,
    written_tracks,
)
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.photo.image_io import output_path
from anonygan_jax.anonymise.results import Plan
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.photos import PhotoFile
from anonygan_jax.io.worker_pool import WorkerPool

MOST_NAMED = 3  # files in one line


class BatchRun:
    """Photos, then videos; a context in which no other run writes into the folder.

    When it ends without an error, the report is written.
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
        """Reads what the results depend on.

        Args:
          inputs: photos, videos, folders, .txt lists.
          make_pool: makes the workers for photos; a single file needs none.
          boxes: table of faces found by other means, see `known_table.read_faces`.
          tracks: table to write, of the faces that are detected.

        Raises:
          TracksError: a table cannot be read, has another suffix, or is read and
            written, or has the name of the report.
          CheckpointError, PhotoError: a file that the settings name cannot be used.
        """
        self._inputs, self._output, self._settings = inputs, output, settings
        self._make_pool, self._tracks = make_pool, tracks
        self._boxes = boxes
        self._known: Known | None = read_faces(boxes) if boxes else None
        self._about = About.of(settings, boxes)
        if tracks:
            check_table(tracks, output / REPORT, boxes)
        self._tasks: list[Task] = []
        self._others: list[tuple[pathlib.Path, FileResult]] = []

    def __enter__(self) -> "BatchRun":
        """Waits for other runs into the folder, then lists the files.

        Raises:
          RunError: there is no photo or video among the inputs.
          PhotoError: two inputs have one name, or a list cannot be read.
          OutputError, ReportError: the folder of results cannot be used.
        """
        with contextlib.ExitStack() as stack:
            opened = OutputFolder.opened(self._output, self._about)
            self._folder = stack.enter_context(opened)
            self._list_files()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def __len__(self) -> int:
        """Returns the number of results."""
        return len(self._tasks) + len(self._others)

    def results(self) -> Iterator[FileResult]:
        """Yields the result of each file after writing it.

        Raises:
          ValueError, ImportError: see `Settings.anonymiser`.
          OSError: the folder of results cannot be written to.
          WorkerDied: a worker process could not be started.
        """
        if all(task.previous for task in self._tasks):
            yield from self._noted()
            yield from (task.previous for task in self._tasks if task.previous)
            return
        photos = [task for task in self._tasks if task.is_photo]
        videos = [task for task in self._tasks if not task.is_photo]
        with written_tracks(self._tracks) as table:
            with self._photo_workers(len(photos)) as (pool, here):
                self._folder.begin()
                yield from self._noted()
                done = anonymise_photos(photos, pool, here, _rows_into(table))
                yield from self._settled(photos, done)
            with self._video_workers(len(videos), here) as pool_of_one:
                memory = here.anonymiser.memory
                rows = table if self._tracks else None
                done = anonymise_videos(videos, pool_of_one, memory, rows)
                yield from self._settled(videos, done)

    @contextlib.contextmanager
    def _photo_workers(self, number: int) -> Iterator[tuple[PhotoWorkers, Worker]]:
        """Workers for a number of photos, and that of this process, which plans."""
        if self._is_single or not number:
            here = Worker(self._settings)
            with WorkerPool.in_thread(here) as in_thread:
                yield in_thread, here
        else:
            with self._make_pool(self._settings, number) as pool:  # starts meanwhile
                yield pool, Worker(self._settings)

    def _video_workers(self, number: int, here: Worker) -> WorkerPool[Worker]:
        """A worker for a number of videos."""
        if self._is_single or not number:
            return WorkerPool.in_thread(here)
        return processes(self._settings, 1)

    @property
    def _is_single(self) -> bool:
        """Whether there is one file: a crash of its decoder takes no other along."""
        return len(self._tasks) == 1

    def _settled(
        self, tasks: list[Task], results: Iterator[FileResult]
    ) -> Iterator[FileResult]:
        """The results of tasks, after they are where they belong."""
        for task, result in zip(tasks, results, strict=True):
            yield self._folder.settle(task, result)

    def _noted(self) -> Iterator[FileResult]:
        """The results of files that are not processed, after they are written down."""
        for output, result in self._others:
            self._folder.note(output, result)
            yield result

    def _list_files(self) -> None:
        """Sorts the files of the input into tasks, photos first, and others."""
        files, others = list_files(self._inputs, self._folder.is_ours)
        self._others += [(self._output / name, result) for name, result in others]
        for file in files:
            self._add(file)
        names = {file.name for file in files} | {name for name, _ in others}
        self._leave_out_rows(names)

    def _add(self, file: PhotoFile) -> None:
        """Adds a photo or video."""
        known = None if self._known is None else self._known.get(file.name, {})
        output = output_path(file, self._output)
        result = try_file(
            file.path,
            # A new table must have the faces of all files.
            lambda: self._folder.task(file, output, known, not self._tracks),
        )
        if isinstance(result, Task):
            self._tasks.append(result)
        else:
            self._others.append((output, result))

    def _leave_out_rows(self, names: set[str]) -> None:
        """Adds the table of faces to what is left out, if it names other files, too."""
        others = sorted(set(self._known or {}) - names)
        if not others or self._boxes is None:
            return
        shown = ", ".join(others[:MOST_NAMED]) + ", ..." * (len(others) > MOST_NAMED)
        reason = f"its rows of {len(others)} files that are not in the input ({shown})"
        result = FileResult(str(self._boxes), LEFT_OUT, reason=reason)
        self._others.append((self._output / self._boxes.name, result))


def _rows_into(table: Table) -> Callable[[Task, list[Plan]], None]:
    """A function that adds the faces of a photo to a table."""

    def write(task: Task, plans: list[Plan]) -> None:
        for number, plan in enumerate(plans):
            table(task.name, 0, 0.0, number, plan.found.face)

    return write
