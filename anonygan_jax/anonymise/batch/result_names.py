"""Names of a run's results: no two files get one."""

import pathlib
import tempfile
import unicodedata
from collections import defaultdict

from anonygan_jax.io.photos import PhotoError


class OccupiedError(PhotoError):
    """A result whose name another file has."""


class ResultNames:
    """The names that results of one run have in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        """Takes a folder that can be written to."""
        self._path = folder
        self._taken: dict[str, list[tuple[str, pathlib.Path]]] = defaultdict(list)

    def take(self, name: str, file: pathlib.Path) -> None:
        """Notes the name of a file's result.

        Args:
          name: below the folder.

        Raises:
          OccupiedError: the result of another file has it.
          OSError: the folder cannot be written to.
        """
        folded = unicodedata.normalize("NFC", name.casefold())
        for other, first in self._taken[folded]:
            if other == name or is_one_name(self._path, other, name):
                raise OccupiedError(
                    f"{file}: its result would have the name of {first}'s; rename one"
                )
        self._taken[folded].append((name, file))


def is_one_name(folder: pathlib.Path, one: str, other: str) -> bool:
    """Returns whether a folder's file system takes two names for one."""
    with tempfile.TemporaryDirectory(prefix=".anonygan-", dir=folder) as place:
        path = pathlib.Path(place, one)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return pathlib.Path(place, other).exists()
