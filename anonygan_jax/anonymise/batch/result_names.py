"""Names of a run's results: no two files get one.

Names depend on the files of the input, not on their order or on what is done. Where
results of earlier runs lie, a file keeps the name that its result has.
"""

import os
import pathlib
import shutil
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from anonygan_jax.anonymise.batch.name_forms import NameForms, folded
from anonygan_jax.anonymise.video.encoding import SAME
from anonygan_jax.io.atomic_write import temporary_path
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.photos import PhotoError

NUMBERED = 2  # the first form with a number
_LONGEST = 255  # bytes of a name, where the system does not tell


class OccupiedError(PhotoError):
    """A result whose name another file has."""


class Holders(Protocol):
    """Whose the results are that lie in a folder (`holders.ResultHolders`)."""

    def is_known(self, name: str) -> bool:
        """Returns whether a result of ours has or had a name."""
        ...

    def is_of(self, name: str, file: PhotoFile) -> bool:
        """Returns whether a file's result has a name."""
        ...

    def is_of_another(self, name: str, file: PhotoFile) -> bool:
        """Returns whether another file's result has a name."""
        ...


class ResultNames:
    """The names that results of one run have in a folder."""

    def __init__(self, folder: pathlib.Path, holders: Holders) -> None:
        """Takes a folder that can be written to, and whose its results are."""
        self._path, self._holders = folder, holders
        self._taken: dict[str, list[tuple[str, pathlib.Path]]] = defaultdict(list)

    def assigned(self, files: list[PhotoFile], codec: str = SAME) -> list[str]:
        """Returns names of results below the folder, with "/"; no two are one.

        Args:
          files: in an order that does not change.
          codec: of videos.

        Raises:
          OSError: the folder cannot be written to.
        """
        longest = _longest(self._path)
        forms = [NameForms(file, longest, codec) for file in files]
        folders = {folded(parent) for f in files for parent in _parents(f.name)}

        def is_free(n: int, name: str) -> bool:
            return folded(name) not in folders

        def is_free_here(n: int, name: str) -> bool:
            return is_free(n, name) and not self._holders.is_of_another(name, files[n])

        # First by the input alone: else a run that goes on would give other names.
        chosen = self._distinct(forms, [0] * len(files), set(), is_free)
        kept = list(map(self._kept, forms, files))
        fixed = {n for n, number in enumerate(kept) if number is not None}
        chosen = [
            new if old is None else old for old, new in zip(kept, chosen, strict=True)
        ]
        chosen = self._distinct(forms, chosen, fixed, is_free_here)
        return [form(number) for form, number in zip(forms, chosen, strict=True)]

    def take(self, name: str, file: pathlib.Path) -> None:
        """Notes the name of a file's result.

        Args:
          name: below the folder.

        Raises:
          OccupiedError: the result of another file has it.
          OSError: the folder cannot be written to.
        """
        for other, first in self._taken[folded(name)]:
            if self._is_one(other, name):
                raise OccupiedError(
                    f"{file}: its result would have the name of {first}'s; rename one"
                )
        self._taken[folded(name)].append((name, file))

    def _kept(self, form: NameForms, file: PhotoFile) -> int | None:
        """The first form whose name the file's result has by now; None if none has."""
        number = 0
        while number < NUMBERED or self._holders.is_known(form(number)):
            if self._holders.is_of(form(number), file):
                return number
            number += 1
        return None

    def _distinct(
        self,
        forms: list[NameForms],
        chosen: list[int],
        fixed: set[int],
        is_free: Callable[[int, str], bool],
    ) -> list[int]:
        """Forms of which no two are one name: some files take later ones.

        Args:
          fixed: files that do not.
          is_free: whether a file may have a name.
        """
        chosen = list(chosen)
        waiting = set(range(len(forms))) - fixed
        while waiting:
            for n in waiting:
                while not is_free(n, forms[n](chosen[n])):
                    chosen[n] += 1
            waiting = self._clashing(forms, chosen, fixed)
            for n in waiting:
                chosen[n] += 1
        return chosen

    def _clashing(
        self, forms: list[NameForms], chosen: list[int], fixed: set[int]
    ) -> set[int]:
        """Files that must take their next form."""
        groups: dict[str, list[int]] = defaultdict(list)
        for n, (form, number) in enumerate(zip(forms, chosen, strict=True)):
            groups[folded(form(number))].append(n)
        clashing: set[int] = set()
        for group in groups.values():
            if len(group) > 1 and self._has_one_name(
                [forms[n](chosen[n]) for n in group]
            ):
                clashing.update(group)
                clashing -= _staying(group, forms, chosen, fixed)
        return clashing

    def _has_one_name(self, names: list[str]) -> bool:
        """Whether two names of some are one."""
        return len(set(names)) < len(names) or any(
            self._is_one(names[0], other) for other in names[1:]
        )

    def _is_one(self, one: str, other: str) -> bool:
        """Whether two names are one in the folder."""
        return one == other or is_one_name(self._path, one, other)


def is_one_name(folder: pathlib.Path, one: str, other: str) -> bool:
    """Returns whether a folder's file system takes two names for one."""
    place = temporary_path(folder / "names")
    try:
        path = place / one
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return (place / other).exists()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _staying(
    group: list[int], forms: list[NameForms], chosen: list[int], fixed: set[int]
) -> set[int]:
    """Which of several files of one name keeps it, if one does.

    A file's earlier result does, then the file that has the name itself. Nobody has a
    right to the name of a new suffix: "a.png" of "a.gif" and "a.ppm".
    """
    if results := fixed.intersection(group):
        return results
    if own := [n for n in group if forms[n].is_own and chosen[n] == 0]:
        return {own[0]}
    numbered = [n for n in group if chosen[n] >= NUMBERED]
    return set(numbered[:1])


def _parents(name: str) -> list[str]:
    """The folders in which a name is."""
    return [str(path) for path in pathlib.PurePosixPath(name).parents][:-1]


def _longest(folder: pathlib.Path) -> int:
    """How many bytes a name may have in a folder."""
    try:
        return min(_LONGEST, os.pathconf(folder, "PC_NAME_MAX"))
    except (OSError, ValueError, AttributeError):
        return _LONGEST
