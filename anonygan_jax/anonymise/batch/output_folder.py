"""A folder of results: which files there are ours, and what may be written.

A file that no report or journal of ours names, or that has other contents than ours
had, is an original: it is never replaced or removed.
"""

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

from anonygan_jax.anonymise.batch.contents import (
    UNREADABLE,
    About,
    fingerprint_of,
    lying_fingerprint,
)
from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult, try_file
from anonygan_jax.anonymise.batch.folder_lock import LOCK, locked
from anonygan_jax.anonymise.batch.holders import UNREADABLE_FILE, ResultHolders
from anonygan_jax.anonymise.batch.journal import JOURNAL, REPORT, Journal
from anonygan_jax.anonymise.batch.result_names import OccupiedError, ResultNames
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.video.encoding import SAME
from anonygan_jax.faces.face import Face
from anonygan_jax.io.atomic_write import (
    is_temporary,
    remove_leftovers,
    rename_to_free,
    temporary_path,
)
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import PhotoError


class OutputFolder:
    """The results of one run among those of others."""

    def __init__(self, path: pathlib.Path, journal: Journal) -> None:
        """Takes a folder that is locked."""
        self._path, self._journal = path, journal
        self._placed: dict[str, str] = {}  # fingerprints of this run's results
        self._holders = ResultHolders(path, journal, self._lying)
        self._names = ResultNames(path, self._holders)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: pathlib.Path, about: About) -> Iterator["OutputFolder"]:
        """Gives a folder, which other runs do not touch until the block ends.

        If the block succeeds, the report is written. What a killed run left is removed.

        Raises:
          OutputError: the folder cannot be written to.
          ReportError: it has a report that is none of ours.
          OSError: the disk is full.
        """
        with locked(path):
            folder = cls(path, Journal(path, about))
            places = [path]
            if folder._journal.is_started:  # by a run that was killed
                places = [pathlib.Path(place) for place, _, _ in os.walk(path)]
            for place in places:
                remove_leftovers(place)
            yield folder
            for place in places:  # a worker of that run may have ended after it
                remove_leftovers(place)
            folder._journal.finish(folder._lying)

    def is_ours(self, path: pathlib.Path) -> bool:
        """Returns whether a file is a result in this folder, its report or the like.

        Raises:
          PhotoError: the report names it, and it cannot be read.
        """
        place = path.parent.resolve() / path.name
        if not place.is_relative_to(self._path.resolve()):
            return False
        name = place.relative_to(self._path.resolve()).as_posix()
        if name in (REPORT, JOURNAL, LOCK) or is_temporary(path):
            return True
        return self._is_written(name)

    def names(self, files: list[PhotoFile], codec: str = SAME) -> list[str]:
        """Returns the names of files' results, see `ResultNames.assigned`."""
        return self._names.assigned(files, codec)

    def task(
        self,
        file: PhotoFile,
        output: pathlib.Path,
        known: dict[int, list[Face]] | None = None,
        use_previous: bool = True,
    ) -> Task:
        """Returns the task of a file.

        Args:
          output: path of its result, in this folder.
          known: faces by frame, found by other means.
          use_previous: whether the file need not be processed if an earlier run did.

        Raises:
          OccupiedError: the result would replace an original or another file's result.
          PhotoError: the file was processed before and cannot be read now.
        """
        name = output.relative_to(self._path).as_posix()
        self._names.take(name, file.path)
        fingerprint = fingerprint_of(file.path) if self._journal.of(name) else ""
        lying = self._lying(name)
        if lying and (why := self._holders.in_the_way(name, file, fingerprint, lying)):
            raise OccupiedError(f"{file.path}: {why}")
        entry = self._journal.previous(name, fingerprint, lying)
        previous = None
        if entry and use_previous:
            result = str(output) if entry.result.result else None
            previous = dataclasses.replace(
                entry.result, photo=str(file.path), result=result
            )
        staged = temporary_path(output)
        return Task(
            *(file.path, file.name, file.kind or PHOTO, output),
            *(staged, fingerprint, known, previous),
        )

    def begin(self) -> None:
        """Says that files will be written now.

        Raises:
          OSError: the folder cannot be written to.
        """
        self._journal.start()

    def settle(self, task: Task, result: FileResult) -> FileResult:
        """Returns a task's result, after giving its file its name.

        The entry in the journal comes first. If there is no result, that of an earlier
        run is removed, unless the same run would make it again.

        Raises:
          OSError: the journal cannot be written.
        """
        if task.previous is not None and result == task.previous:
            return result
        name = task.output.relative_to(self._path).as_posix()
        if result.result:
            self._journal.add(name, result)
            placed = try_file(task.photo, lambda: self._place(name, task, result))
            if placed is result:
                return result
            result = placed
        result = try_file(task.photo, lambda: self._cleared(name, task, result))
        self._journal.add(name, result)
        return result

    def note(self, output: pathlib.Path, result: FileResult) -> None:
        """Writes down a file that is not processed.

        Raises:
          OSError: the journal cannot be written.
        """
        self._journal.add(output.relative_to(self._path).as_posix(), result)

    def _lying(self, name: str) -> str:
        """What `lying_fingerprint` returns of the file of a result's name."""
        return self._placed.get(name) or lying_fingerprint(self._path / name)

    def _is_written(self, name: str) -> bool:
        """Whether the file of a result's name has the contents of a result of ours.

        Raises PhotoError if it may have, and cannot be read.
        """
        written = {e.result.result_fingerprint for e in self._journal.of(name)} - {""}
        lying = self._lying(name) if written else ""
        if lying == UNREADABLE:
            raise PhotoError(f"{self._path / name}: {UNREADABLE_FILE}")
        return lying in written

    def _place(self, name: str, task: Task, result: FileResult) -> FileResult:
        """Gives a written file its name; no other file is replaced."""
        if self._is_written(name):
            task.staged.replace(task.output)
        else:
            try:
                rename_to_free(task.staged, task.output)
            except FileExistsError as error:
                came = f"{task.output} came while it was processed"
                raise OccupiedError(came) from error
        self._placed[name] = result.result_fingerprint
        return result

    def _cleared(self, name: str, task: Task, result: FileResult) -> FileResult:
        """A file's failure, after removing what is there of it and is not right."""
        task.staged.unlink(missing_ok=True)
        if not self._is_written(name):
            return result
        if self._journal.previous(name, task.fingerprint, self._lying(name)):
            left = "the result of an earlier run is left"
        else:
            try:
                task.output.unlink()
                return result
            except OSError as error:
                left = f"an earlier result is left, too: {error}"
        return dataclasses.replace(
            result, kind=FAILED, reason=f"{result.reason}; {left}"
        )
