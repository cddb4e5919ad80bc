"""The people of a video's tracks, in a temporary file: images of many take memory."""

import io
import pathlib
import pickle
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from anonygan_jax.anonymise.video.person import Person
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.io.atomic_write import copy_whole


class PersonStore:
    """Tracks that have ended, and their people, in the order in which they ended."""

    def __init__(self, saved: BinaryIO | None = None) -> None:
        """Makes an empty store, or one of what `save` wrote into a file."""
        self._file = saved or tempfile.TemporaryFile()  # noqa: SIM115

    def add(self, track: Track, person: Person) -> None:
        """Adds a track that has ended."""
        self._file.seek(0, io.SEEK_END)
        pickle.dump((track, person), self._file)

    def __iter__(self) -> Iterator[tuple[Track, Person]]:
        place = 0
        while True:
            self._file.seek(place)
            try:
                one = pickle.load(self._file)  # safe: this class wrote it
            except EOFError:
                return
            place = self._file.tell()
            yield one

    @property
    def is_empty(self) -> bool:
        """Whether there is no track."""
        return not self._file.seek(0, io.SEEK_END)

    def save(self, path: pathlib.Path) -> None:
        """Writes all into a file, for other processes."""
        copy_whole(self._file, path)

    def close(self) -> None:
        """Closes the file, which is deleted unless it was saved."""
        self._file.close()
