"""Folders of originals and results, matched by name."""

import dataclasses
import pathlib

from anonygan_jax.anonymise.batch.journal import REPORT
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PICTURES


@dataclasses.dataclass(frozen=True)
class Problem:
    """A photo that is not measured, and the reason."""

    photo: str
    reason: str


class FolderError(ValueError):
    """Folders in which nothing can be measured."""


def photos_in(folder: pathlib.Path) -> tuple[dict[str, pathlib.Path], list[Problem]]:
    """Returns the photos of a folder by name, and its problems.

    The name of a photo is its path below the folder, without suffix. Files without a
    photo's suffix and second files of one name are problems, and folders that cannot be
    read. Hidden files and the report of `anonygan anonymise` are ignored.

    Raises:
      FolderError: there is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise FolderError(f"{folder}: no such folder")
    found: dict[str, pathlib.Path] = {}
    problems = []
    for file in find_photos([folder]):
        if pathlib.Path(file.name).name.startswith(".") or file.name == REPORT:
            continue
        if file.kind not in PICTURES:
            reason = file.problem or "not a photo"
            problems.append(Problem(file.name, reason))
            continue
        name = pathlib.PurePosixPath(file.name).with_suffix("").as_posix()
        if name in found:
            problems.append(Problem(file.name, f"a second photo called {name}"))
        else:
            found[name] = file.path
    if not found:
        raise FolderError(f"{folder}: no photos there")
    return found, problems


def unmatched(
    originals: dict[str, pathlib.Path], results: dict[str, pathlib.Path]
) -> list[Problem]:
    """Returns a problem for each name that only one of two folders has.

    Raises:
      FolderError: no name is in both.
    """
    if not originals.keys() & results.keys():
        raise FolderError(
            "no file name is in both folders; results must be called as their "
            f"originals, {next(iter(originals))!r} say"
        )
    return [
        *(Problem(n, "no result") for n in sorted(originals.keys() - results.keys())),
        *(Problem(n, "no original") for n in sorted(results.keys() - originals.keys())),
    ]
