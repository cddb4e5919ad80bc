"""Atomic file writes: a temporary file, then a rename."""

import contextlib
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def atomic_write(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a temporary path, which is renamed to `path` when the block succeeds.

    A process that is killed leaves no half-written file at `path`. An error in the
    block leaves the previous file at `path`.

    Args:
      path: the file to write; its folder is made.

    Raises:
      OSError: the folder or the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
