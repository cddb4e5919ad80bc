"""Search of folders: links are followed, and each folder is entered once.

Hidden files and folders are not searched, nor what systems write beside photos.
"""

import os
import pathlib
from collections.abc import Iterator

_OF_SYSTEMS = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx"))


class Unsearched(OSError):
    """A part of a folder that holds no files, or whose files are not known.

    Attributes:
      is_loss: whether there may be files in it that no other path leads to.
    """

    def __init__(self, reason: str, is_loss: bool) -> None:
        super().__init__(reason)
        self.is_loss = is_loss


Found = tuple[pathlib.Path, Unsearched | None]


def files_below(folder: pathlib.Path) -> Iterator[Found]:
    """Yields each file below a folder, and each part that is not searched, with why.

    Linked folders are entered after the others, so that a file has its plainest path.
    """
    entered: dict[tuple[int, int], pathlib.Path] = {}
    folders, links = [folder], list[pathlib.Path]()
    while folders or links:
        current = folders.pop() if folders else links.pop(0)
        try:
            _enter(current, entered)
            paths = sorted(p for p in current.iterdir() if not is_hidden(p.name))
        except OSError as error:
            yield current, _unsearched(error)
            continue
        for path in paths:
            try:
                kind = _kind(path)
            except OSError as error:
                yield path, _unsearched(error)
                continue
            if kind == "file":
                yield path, None
            else:
                (links if kind == "link" else folders).append(path)


def is_hidden(name: str) -> bool:
    """Returns whether a name is hidden, as `._a.jpg`, or a system's, as `Thumbs.db`."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def _enter(folder: pathlib.Path, entered: dict[tuple[int, int], pathlib.Path]) -> None:
    """Notes a folder that is searched now; raises if it was searched before."""
    about = folder.stat()
    first = entered.setdefault((about.st_dev, about.st_ino), folder)
    if first != folder:
        raise Unsearched(f"a link to {first}, which is searched already", False)
    is_link = folder.is_symlink() and len(entered) > 1  # the first one is the input
    if is_link and folder.resolve() in folder.parent.resolve().parents:
        raise Unsearched(f"a link to {folder.resolve()}, in which it lies", False)


def _kind(path: pathlib.Path) -> str:
    """What a path is: "file", "folder" or "link", which leads to a folder."""
    if path.is_dir():
        return "link" if path.is_symlink() else "folder"
    if path.is_file():
        return "file"
    if path.is_symlink() and not os.path.exists(path):
        raise Unsearched(f"a link to {os.readlink(path)}, which is not there", False)
    raise Unsearched("neither a file nor a folder", False)


def _unsearched(error: OSError) -> Unsearched:
    """Why a part is not searched."""
    if isinstance(error, Unsearched):
        return error
    return Unsearched(f"cannot be searched ({error.strerror or error})", True)
