"""What the first pass found in a video, on disk; other processes can read it."""

import dataclasses
import json
import pathlib
from typing import Any

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.video.detection_store import DetectionStore
from anonygan_jax.anonymise.video.person_store import PersonStore
from anonygan_jax.io.atomic_write import atomic_write

_STORE, _PEOPLE, _ABOUT = "faces", "people", "about.json"


@dataclasses.dataclass(frozen=True)
class FoundVideo:
    """The faces of a video; a context that closes its files.

    Attributes:
      store: the faces of each frame.
      people: those of its tracks.
      num_frames: of the video.
      offsets, rate: see `source.Video`.
    """

    store: DetectionStore
    people: PersonStore
    num_frames: int
    offsets: list[float]
    rate: int

    def __enter__(self) -> "FoundVideo":
        return self

    def __exit__(self, *_: Any) -> None:
        self.store.close()
        self.people.close()

    def check_faces(self, anonymiser: Anonymiser) -> None:
        """Accepts a video of which something is to be hidden.

        Raises:
          NoFaceError: there is neither a face nor a region to pixelate.
        """
        if self.people.is_empty and not anonymiser.policy.pixelates_regions:
            raise NoFaceError(f"no face found in {self.num_frames} frames")

    def save(self, folder: pathlib.Path) -> None:
        """Writes all into a folder, which is made."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # images of faces
        self.store.save(folder / _STORE)
        self.people.save(folder / _PEOPLE)
        with atomic_write(folder / _ABOUT) as partial:
            about = [self.num_frames, self.offsets, self.rate, self.store.num_rows]
            partial.write_text(json.dumps(about))

    @classmethod
    def load(cls, folder: pathlib.Path) -> "FoundVideo":
        """Returns what `save` wrote into a folder.

        Raises:
          OSError: it cannot be read as a whole.
        """
        about = json.loads((folder / _ABOUT).read_text())
        num_frames, offsets, rate, num_rows = about
        store = DetectionStore((folder / _STORE).open("rb"))
        if store.num_rows != num_rows:  # a face of the rest would pass
            raise OSError(f"{folder}: {store.num_rows} of {num_rows} rows of faces")
        people = PersonStore((folder / _PEOPLE).open("rb"))
        return cls(store, people, num_frames, offsets, rate)
