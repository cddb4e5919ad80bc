"""The files that inputs name: folders, single files and lists of them."""

import dataclasses
import os
import pathlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from anonygan_jax.io.kinds import Kind, kind_of, kind_of_suffix
from anonygan_jax.io.lists import ListError, read_list
from anonygan_jax.io.paths import local_path
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.io.search import files_below


@dataclasses.dataclass(frozen=True)
class PhotoFile:
    """A file and its name.

    Attributes:
      name: its path below the input folder, with "/". If several inputs have a file of
        that name, the folders that differ are added: "IMG_1 (berlin).jpg".
      kind: `kinds.PHOTO`, `ANIMATION` or `VIDEO` by its content; None if it is none.
      suffix: that fits the content, in small letters.
      problem: why it is not processed, besides its suffix; None if it may be.
      is_loss: whether the problem may hide photos: a folder that cannot be read.
    """

    path: pathlib.Path
    name: str
    kind: str | None = None
    suffix: str = ""
    problem: str | None = None
    is_loss: bool = False


def find_photos(inputs: Iterable[str | pathlib.Path]) -> list[PhotoFile]:
    """Returns every file named by `inputs`, sorted by name.

    Args:
      inputs: folders (searched recursively, each folder once; links are followed),
        single files, or `.txt` lists with one path a line, relative to the list's
        folder. Files of every suffix are returned, and what is no file or cannot be
        searched, so that callers can report what is not a photo. Hidden files are not
        searched. No two photos or videos have one name.

    Raises:
      FileNotFoundError: an input does not exist; the message names it.
      PathError: an input is an address in a bucket, or has another scheme.
      PhotoError: a list cannot be read, or two files cannot be named apart.
    """
    media: dict[str, dict[str, PhotoFile]] = defaultdict(dict)
    others: dict[str, PhotoFile] = {}  # by path: they have no results, so no names
    for item in inputs:
        for file in _expand(local_path(item)):
            if file.kind is None:
                others[str(file.path)] = file
            else:
                media[file.name].setdefault(os.path.realpath(file.path), file)
    files = [*_named_apart(media), *others.values()]
    return sorted(files, key=lambda file: (file.name, file.path))


def _named_apart(media: dict[str, dict[str, PhotoFile]]) -> list[PhotoFile]:
    """Files with names of their own, which depend on the files alone."""
    taken = set(media)
    files = []
    for name, places in media.items():
        some = list(places.values())
        if len(some) > 1:
            names = _with_folders(name, some, taken)
            taken.update(names)
            pairs = zip(some, names, strict=True)
            some = [dataclasses.replace(file, name=new) for file, new in pairs]
        files += some
    return files


def _with_folders(name: str, files: list[PhotoFile], taken: set[str]) -> list[str]:
    """Names of files of one name: with as many of their folders as differ."""
    folders = [pathlib.Path(os.path.abspath(f.path)).parent.parts[1:] for f in files]
    stem = name.removesuffix(pathlib.PurePosixPath(name).suffix)
    for count in range(1, max(map(len, folders)) + 1):
        added = ["-".join(parts[-count:]) for parts in folders]
        names = [f"{stem} ({folder}){name[len(stem) :]}" for folder in added]
        if len(set(names)) == len(names) and taken.isdisjoint(names):
            return names
    raise PhotoError(
        f"{files[0].path} and {files[1].path} would both be called {name!r}; give "
        "their common parent folder instead"
    )


def _expand(item: pathlib.Path) -> Iterable[PhotoFile]:
    """Files of one input."""
    if item.is_dir():
        for path, problem in files_below(item):
            name = path.relative_to(item).as_posix()
            if problem is not None:
                reason, is_loss = str(problem), problem.is_loss
                yield PhotoFile(path, name, problem=reason, is_loss=is_loss)
            else:
                yield _file(path, name, is_named=False)
    elif not os.path.exists(item):
        raise FileNotFoundError(f"{item}: no such file or folder")
    elif item.suffix.lower() == ".txt" and item.is_file():
        yield from _listed(item)
    else:
        yield _file(item, item.name, is_named=True)


def _listed(item: pathlib.Path) -> Iterator[PhotoFile]:
    """Files of a list."""
    try:
        lines = read_list(item)
    except ListError as error:
        raise PhotoError(str(error)) from error
    for line in lines:
        path = pathlib.Path(line)
        # A name must not lead out of the folder to which it is appended.
        parts = [p for p in path.parts if p not in (path.anchor, "..")]
        yield _file(item.parent / path, "/".join(parts), is_named=True)


def _file(path: pathlib.Path, name: str, is_named: bool) -> PhotoFile:
    """A file that was found, or that the user named."""
    if os.path.exists(path) and not path.is_file():
        return PhotoFile(path, name, problem="not a file")  # a pipe would never end
    try:
        kind = kind_of(path, is_named)
    except OSError as error:
        suffix = path.suffix.lower()
        kind = Kind(kind_of_suffix(suffix), suffix)  # who reads it says what is wrong
        if kind.name is None:
            reason = f"cannot be read ({error.strerror})"
            return PhotoFile(path, name, problem=reason, is_loss=True)
    problem = None
    if kind.name is None and is_named:
        problem = "neither a photo nor a video"
    return PhotoFile(path, name, kind.name, kind.suffix, problem)
