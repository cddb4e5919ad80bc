"""Folders that are written on this machine and kept here or in a bucket."""

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator

from anonygan_jax.io import paths


class StagedFolder:
    """A folder for programs that write local files only.

    Attributes:
      path: of this machine: the folder itself, or a temporary one whose files
        `publish` writes to a bucket.
    """

    def __init__(self, target: pathlib.Path) -> None:
        """Makes the folder.

        Args:
          target: where the files are kept.

        Raises:
          OSError: the folder cannot be made.
        """
        self._target = target
        self._published: dict[pathlib.Path, tuple[int, int]] = {}
        self._temporary: tempfile.TemporaryDirectory | None = None
        self.path = target
        if paths.is_bucket(target):
            self._temporary = tempfile.TemporaryDirectory(prefix="anonygan-")
            self.path = pathlib.Path(self._temporary.name)
        self.path.mkdir(parents=True, exist_ok=True)

    def publish(self, pattern: str = "**/*") -> None:
        """Writes new and changed files to the bucket; does nothing without one.

        Args:
          pattern: of the files.

        Raises:
          BucketError: one cannot be written.
        """
        if self._temporary is None:
            return
        for file in sorted(self.path.glob(pattern)):
            about = file.stat()
            state = about.st_mtime_ns, about.st_size
            if file.is_file() and self._published.get(file) != state:
                paths.upload(file, self._target / str(file.relative_to(self.path)))
                self._published[file] = state

    def close(self) -> None:
        """Removes the temporary folder; what is not published is lost."""
        if self._temporary is not None:
            self._temporary.cleanup()


@contextlib.contextmanager
def staged_folder(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields `StagedFolder.path`, and publishes its files when the block succeeds.

    Raises:
      OSError: the folder cannot be made, or a file cannot be written.
    """
    with contextlib.closing(StagedFolder(target)) as folder:
        yield folder.path
        folder.publish()
