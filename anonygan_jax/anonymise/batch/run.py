"""A run of the command: its files, their order and their results."""

import contextlib
import pathlib
import shutil
from collections.abc import Generator, Iterator

from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.file_results import LEFT_OUT, FileResult, try_file
from anonygan_jax.anonymise.batch.journal import REPORT
from anonygan_jax.anonymise.batch.known_table import Known, read_faces
from anonygan_jax.anonymise.batch.listing import list_files
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.batch.pool import (
    Workers,
    WorkersMaker,
    in_thread,
    processes,
)
from anonygan_jax.anonymise.batch.table import check_table, written_tracks
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.inputs import PhotoFile

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
        make_workers: WorkersMaker = processes,
        boxes: pathlib.Path | None = None,
        tracks: pathlib.Path | None = None,
    ) -> None:
        """Reads what the results depend on.

        Args:
          inputs: photos, videos, folders, .txt lists.
          make_workers: makes the workers; a single file needs none.
          boxes: table of faces found by other means, see `known_table.read_faces`.
          tracks: table to write, of the faces that are detected.

        Raises:
          TracksError: a table cannot be read, has another suffix, or is read and
            written, or has the name of the report.
          CheckpointError, PhotoError: a file that the settings name cannot be used.
        """
        self._inputs, self._output, self._settings = inputs, output, settings
        self._make_workers, self._tracks = make_workers, tracks
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
          PhotoError: a list cannot be read, or two files cannot be named apart.
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
          ValueError, MissingPackage: see `Settings.anonymiser`.
          PipelineError: a pipeline of Beam failed.
          OSError: the folder of results cannot be written to.
          WorkerDied: a worker process could not be started.
        """
        made = self._results()
        self._stack.callback(made.close)  # the workers end before the lock does
        return made

    def _results(self) -> Generator[FileResult, None, None]:
        """The results, see `results`."""
        if all(task.previous for task in self._tasks):
            yield from self._noted()
            yield from (task.previous for task in self._tasks if task.previous)
            return
        tasks, others = self._in_order()
        try:
            yield from self._processed(tasks)
        finally:  # after the workers have ended
            _remove_found(tasks)
        yield from (task.previous for task in others if task.previous)

    def _processed(self, tasks: list[Task]) -> Iterator[FileResult]:
        """The results of files that are not processed, then those of tasks."""
        photos = [task for task in tasks if task.is_photo]
        videos = [task for task in tasks if not task.is_photo]
        with (
            written_tracks(self._tracks) as table,
            self._workers(len(self._tasks)) as workers,
        ):
            self._folder.begin()
            yield from self._noted()
            rows = table if self._tracks else None
            for some in (photos, videos):
                yield from self._settled(some, workers.anonymise(some, rows))

    def _in_order(self) -> tuple[list[Task], list[Task]]:
        """Photos, then videos; and those after the last that has no result yet."""
        tasks = sorted(self._tasks, key=lambda task: not task.is_photo)
        number = len(tasks)
        while number and tasks[number - 1].previous:
            number -= 1
        return tasks[:number], tasks[number:]

    def _workers(self, number: int) -> contextlib.AbstractContextManager[Workers]:
        """The workers for a number of files.

        A crash of a decoder takes a single file along, and no other.
        """
        if number == 1:
            return in_thread(self._settings)
        return self._make_workers(self._settings, number)

    def _settled(
        self, tasks: list[Task], results: Iterator[FileResult]
    ) -> Iterator[FileResult]:
        """The results of tasks, after they are where they belong."""
        for task, result in zip(tasks, results, strict=True):
            _remove_found([task])  # it takes room on the disk
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
        names = self._folder.names(files, self._settings.codec)
        for file, name in zip(files, names, strict=True):
            self._add(file, self._output / name)
        inputs = {file.name for file in files} | {name for name, _ in others}
        self._leave_out_rows(inputs)

    def _add(self, file: PhotoFile, output: pathlib.Path) -> None:
        """Adds a photo or video."""

        def work() -> Task:
            known = None if self._known is None else self._known.of(file)
            # A new table must have the faces of all files.
            return self._folder.task(file, output, known, not self._tracks)

        result = try_file(file.path, work)
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


def _remove_found(tasks: list[Task]) -> None:
    """Removes what was found in videos: it has images of faces."""
    for task in tasks:
        if not task.is_photo:
            shutil.rmtree(task.scratch, ignore_errors=True)
