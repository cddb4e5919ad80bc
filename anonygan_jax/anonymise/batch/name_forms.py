"""Names that the result of a file may have, from the plainest to numbered ones."""

import hashlib
import os
import pathlib
import unicodedata

from anonygan_jax.anonymise.video.encoding import SAME, container_suffix
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import VIDEO, kind_of_suffix
from anonygan_jax.io.photo_formats import WRITTEN

_HASH_DIGITS = 8  # of a name that is cut


def result_suffix(file: PhotoFile, codec: str = SAME) -> str:
    """Returns the suffix of a file's result, which tells its format.

    Photos of formats that are not written become PNG.

    Args:
      codec: of videos, see `container_suffix`.
    """
    if file.kind == VIDEO:
        return container_suffix(file.suffix, codec)
    if file.suffix in WRITTEN:
        return file.suffix
    return ".jpg" if file.suffix == ".mpo" else ".png"


class NameForms:
    """The names of one file's result.

    Form 0 is the file's name with the suffix of the result. Form 1 has the suffix of
    the file, too ("a.avi.mp4"), form 2 and those after it a number ("a-2.mp4").

    Attributes:
      is_own: whether form 0 is the name of the file.
    """

    def __init__(self, file: PhotoFile, longest: int, codec: str = SAME) -> None:
        """Takes a file.

        Args:
          longest: bytes of a name in the folder of results; longer ones are cut.
          codec: of videos.
        """
        self._folder, _, self._name = file.name.rpartition("/")
        self._longest, self._wanted = longest, result_suffix(file, codec)
        own = pathlib.PurePosixPath(self._name).suffix
        if kind_of_suffix(own.lower()) is None:  # as of "holiday in Hamburg, 3.8."
            own = ""
        self._stem = self._name[: len(self._name) - len(own)]
        self.is_own = own.lower() == self._wanted
        if self.is_own:  # in its letters
            self._wanted = own

    def __call__(self, number: int) -> str:
        """Returns a name below the folder of results, with "/"."""
        name = self._stem + self._wanted
        if number == 1 and not self.is_own:
            name = self._name + self._wanted
        elif number > 1:
            name = f"{self._stem}-{number}{self._wanted}"
        return f"{self._folder}/{self._cut(name)}" if self._folder else self._cut(name)

    def _cut(self, name: str) -> str:
        """A name that is not too long; those that are cut differ by a hash."""
        if len(encoded := os.fsencode(name)) <= self._longest:
            return name
        end = f"-{hashlib.sha256(encoded).hexdigest()[:_HASH_DIGITS]}{self._wanted}"
        stem = name.removesuffix(self._wanted)
        while len(os.fsencode(stem + end)) > self._longest:
            stem = stem[:-1]
        return stem + end


def folded(name: str) -> str:
    """Returns what names have in common that some file system takes for one."""
    folded = unicodedata.normalize("NFD", name).casefold()
    parts = unicodedata.normalize("NFC", folded).split("/")
    return "/".join(part.rstrip(". ") for part in parts)
