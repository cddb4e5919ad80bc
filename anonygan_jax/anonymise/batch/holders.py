"""Whose the files are that have names of results: this file's, another's, or nobody's.

The report names the photo of each result. A file that it does not name, or that has
other contents than ours had, is an original.
"""

import os
import pathlib
from collections import defaultdict
from collections.abc import Callable

from anonygan_jax.anonymise.batch.contents import UNREADABLE, fingerprint_of
from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.journal import Journal
from anonygan_jax.anonymise.batch.name_forms import folded
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.photos import PhotoError

UNREADABLE_FILE = "is there and cannot be read; it is not touched"


class ResultHolders:
    """Whose the results of a folder are, by its journal."""

    def __init__(
        self, folder: pathlib.Path, journal: Journal, lying: Callable[[str], str]
    ) -> None:
        """Takes a folder and its entries.

        Args:
          lying: returns what `lying_fingerprint` does of the file of a result's name.
        """
        self._path, self._journal, self._lying = folder, journal, lying
        self._alike: dict[str, list[str]] = defaultdict(list)
        for name in journal.names():
            self._alike[folded(name)].append(name)

    def is_known(self, name: str) -> bool:
        """Returns whether a result of ours has or had a name."""
        return bool(self._written(name))

    def is_of(self, name: str, file: PhotoFile) -> bool:
        """Returns whether the result of a file, by its path, has a name."""
        photo, written = os.path.abspath(file.path), self._written(name)
        own = [result for result in written if result.photo == photo]
        if len(own) == len(written):  # what lies there need not be read
            return bool(own) and os.path.lexists(self._path / name)
        lying = self._lying(name) if own else ""
        return any(result.result_fingerprint == lying for result in own)

    def is_of_another(self, name: str, file: PhotoFile) -> bool:
        """Returns whether a result of another file has a name.

        A file that was moved is the same, by its contents.
        """
        photo, written = os.path.abspath(file.path), self._written(name)
        if all(result.photo == photo for result in written):
            return False
        lying = self._lying(name)
        here = [result for result in written if result.result_fingerprint == lying]
        if not here or any(result.photo == photo for result in here):
            return False
        try:
            fingerprint = fingerprint_of(file.path)
        except PhotoError:  # who reads it says so
            return True
        return all(result.fingerprint != fingerprint for result in here)

    def in_the_way(
        self, name: str, file: PhotoFile, fingerprint: str, lying: str
    ) -> str:
        """Returns why the file of a result's name stays; "" if it is this file's.

        Args:
          fingerprint: of the file whose result is to have the name.
          lying: of the file that has it.
        """
        path, photo = self._path / name, os.path.abspath(file.path)
        if path.exists() and os.path.samefile(path, file.path):
            return "--output would overwrite it; choose another"
        if lying == UNREADABLE:
            return f"{path}: {UNREADABLE_FILE}"
        here = [r for r in self._written(name) if r.result_fingerprint == lying]
        if not here:
            text = "is there and is no result of this tool; it is not touched: move it"
        elif all(r.photo != photo and r.fingerprint != fingerprint for r in here):
            text = f"is the result of {here[0].photo}; rename one"
        else:
            return ""
        return f"{path} {text}, or choose another --output"

    def _written(self, name: str) -> list[FileResult]:
        """Results that were written under a name, or what the disk takes for it."""
        entries = self._journal.of(name)
        others = [n for n in self._alike[folded(name)] if n != name]
        if others and (path := self._path / name).exists():
            for other in others:
                if (place := self._path / other).exists() and path.samefile(place):
                    entries += self._journal.of(other)
        return [e.result for e in entries if e.result.result_fingerprint]
