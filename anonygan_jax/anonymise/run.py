"""A run of the command: which files, in which order, what became of them."""

import pathlib
from collections.abc import Iterator

from anonygan_jax.anonymise.batch import Task, anonymise_photos
from anonygan_jax.anonymise.journal import Journal, stamp_of
from anonygan_jax.anonymise.media import output_path
from anonygan_jax.anonymise.outcomes import FAILED, Outcome
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.data.photos import PhotoError, PhotoFile, find_photos


class RunError(ValueError):
    """Inputs of which nothing can be made."""


class Run:
    """Files and what becomes of them, kept as they come."""

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
          boxes: file of faces that are known.
          tracks: file to write the faces to that were found.

        Raises:
          FileNotFoundError: an input does not exist.
          RunError: there is no photo or video among the inputs.
          PhotoError: two files have one name.
        """
        # Results of an earlier run in the input's folder are no input.
        found = find_photos(inputs)
        if any(_is_in(output, pathlib.Path(folder)) for folder in inputs):
            found = [file for file in found if not _is_in(file.path, output)]
        self._settings, self._output, self._num_workers = settings, output, num_workers
        self._photos = [file for file in found if file.has_photo_suffix]
        self.not_media = [file.path for file in found if not file.has_photo_suffix]
        if not self._photos:
            raise RunError("no photo in the input")
        self._journal = Journal(output, settings.as_dict())

    def __len__(self) -> int:
        """Returns how many files there are."""
        return len(self._photos)

    def outcomes(self) -> Iterator[Outcome]:
        """Yields what became of each file, once its result is written.

        Raises:
          ValueError, ImportError: see `Settings.anonymiser`.
          OSError: the folder of results cannot be written to.
        """
        tasks: list[Task] = []
        for photo in self._photos:
            try:
                tasks.append(self._task(photo))
            except PhotoError as error:
                reason = str(error).removeprefix(f"{photo.path}: ")
                yield Outcome(str(photo.path), FAILED, reason=reason)
        if all(task.earlier for task in tasks):
            yield from (task.earlier for task in tasks if task.earlier)
            return
        is_first = True
        for outcome in anonymise_photos(tasks, self._settings, self._num_workers):
            if is_first:
                self._journal.start()
            is_first = False
            self._journal.add(outcome)
            yield outcome

    def finish(self, outcomes: list[Outcome]) -> None:
        """Writes the report.

        Raises:
          OSError: it cannot be written.
        """
        self._journal.finish(sorted(outcomes, key=lambda outcome: outcome.photo))

    def _task(self, photo: PhotoFile) -> Task:
        """A photo, and what is known of it."""
        stamp = stamp_of(photo.path)
        earlier = self._journal.earlier(str(photo.path), stamp)
        output = output_path(photo, self._output)
        return Task(photo.path, photo.name, output, stamp, earlier=earlier)


def _is_in(path: pathlib.Path, folder: pathlib.Path) -> bool:
    """Whether a file or folder lies in a folder."""
    return folder.resolve() in path.resolve().parents
