"""A photo or video to anonymise."""

import dataclasses
import pathlib

from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.faces.face import Face
from anonygan_jax.io.kinds import VIDEO


@dataclasses.dataclass(frozen=True)
class Task:
    """A photo or video to anonymise.

    Attributes:
      name: seed of the selection of conditions.
      kind: `kinds.PHOTO`, `ANIMATION` or `VIDEO`.
      output: path of the result.
      staged: where the result is written first, beside it.
      fingerprint: see `contents.fingerprint_of`; "" if it is not known yet.
      known: faces by frame, 0 of a photo, found by other means; None to search.
      previous: result of an earlier run; the file is not processed again.
    """

    photo: pathlib.Path
    name: str
    kind: str
    output: pathlib.Path
    staged: pathlib.Path
    fingerprint: str = ""
    known: dict[int, list[Face]] | None = None
    previous: FileResult | None = None

    @property
    def scratch(self) -> pathlib.Path:
        """A folder for what is found in a video; with `staged`, it is temporary."""
        return self.staged.with_suffix(".faces")

    @property
    def is_photo(self) -> bool:
        """Whether the steps of photos are taken, not those of videos."""
        return self.kind != VIDEO
