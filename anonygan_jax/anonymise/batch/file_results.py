"""Results of files: an entry of report.json, a line on the screen, the exit code."""

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from anonygan_jax.anonymise.errors import (
    KnownFaceError,
    RegionError,
    VideoError,
    error_text,
)
from anonygan_jax.anonymise.results import (
    KEPT,
    PIXELATED,
    REPLACED,
    FaceReport,
    TrackReport,
    joined,
)
from anonygan_jax.io.photos import PhotoError

Made = TypeVar("Made")

NO_FACE, FAILED, LEFT_OUT = "no face", "failed", "left out"
ONLY_REGIONS = "only regions are pixelated"  # begins a note
EXIT_FAILED, EXIT_PIXELATED, EXIT_LEFT_OUT = 2, 3, 4


@dataclasses.dataclass(frozen=True)
class FileResult:
    """What was done with one photo or video.

    Attributes:
      photo: the file's path as given; absolute in the report.
      kind: REPLACED, all faces were replaced or kept by the policy; PIXELATED, some
        were pixelated instead; NO_FACE, none was detected, and the file is copied or
        its regions are pixelated if that is asked; FAILED; LEFT_OUT, it is neither a
        photo nor a video.
      result: path of the written file, if there is one; in the report relative to it.
      reason: of FAILED, NO_FACE and LEFT_OUT.
      method: name of the method, and the step of its weights if it has any.
      fingerprint: of the file, see `contents.fingerprint_of`.
      result_fingerprint: of the written file.
      num_frames: of a video.
      num_broken: packets of a video that could not be decoded.
      note: what else is not as in the original, as a sound that cannot be used.
    """

    photo: str
    kind: str
    result: str | None = None
    reason: str | None = None
    faces: tuple[FaceReport, ...] = ()
    method: str | None = None
    fingerprint: str = ""
    result_fingerprint: str = ""
    num_frames: int | None = None
    num_broken: int = 0
    note: str = ""

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> "FileResult":
        """Returns the result of an entry of report.json.

        Raises:
          KeyError, TypeError: it is no such entry.
        """
        faces = []
        for face in entry["faces"]:
            kind = TrackReport if "track" in face else FaceReport
            face = {**face, "box_xyxy": tuple(face["box_xyxy"])}
            if "lost" in face:
                face["lost"] = tuple(map(tuple, face["lost"]))
            faces.append(kind(**face))
        return cls(**{**entry, "faces": tuple(faces)})

    @property
    def is_left(self) -> bool:
        """Whether nothing is done with the file, or only its regions are pixelated."""
        return self.result is None or self._has_only_regions

    @property
    def _has_only_regions(self) -> bool:
        """Whether regions are pixelated, and no face was found."""
        return self.kind == NO_FACE and self.note.startswith(ONLY_REGIONS)

    def line(self) -> str:
        """Returns the line that is shown on the screen."""
        if self.kind == FAILED:
            return f"error: {self.photo}: {self.reason}; no result written"
        if self.kind == LEFT_OUT:
            return f"{self.photo}: {self.reason}, left out"
        if self.kind == NO_FACE:
            done = "no result written"
            if self.result:
                copied = "" if self._has_only_regions else "copied"
                done = f"{joined(copied, self.note)}: {self.result}"
            return f"{self.photo}: no face found, check it; {done}"
        text = f"{self.result}: {len(self.faces)} face{'s' * (len(self.faces) != 1)}"
        for status in (PIXELATED, KEPT):
            reason = [f.reason for f in self.faces if f.status == status]
            text += f", {len(reason)} {status} ({reason[0]})" if reason else ""
        if self.num_frames is not None:
            text += f", {self.num_frames} frames"
        if self.num_broken:
            text += f", {self.num_broken} broken packets left out"
        if self.note:
            text += f", {self.note}"
        return text


def exit_code(results: list[FileResult]) -> int:
    """Returns the first that holds, else 0.

    2: a file failed; 3: a face was pixelated; 4: a file has no result because it is no
    photo or video or shows no face, or only its regions are pixelated.
    """
    kinds = {result.kind for result in results}
    if FAILED in kinds:
        return EXIT_FAILED
    if PIXELATED in kinds:
        return EXIT_PIXELATED
    return EXIT_LEFT_OUT if any(result.is_left for result in results) else 0


def summary(results: list[FileResult], output: pathlib.Path) -> str:
    """Returns the last line on the screen."""
    kinds = Counter(result.kind for result in results)
    done, num_files = kinds[REPLACED] + kinds[PIXELATED], len(results) - kinds[LEFT_OUT]
    parts = [f"anonymised {done} of {num_files} files, results in {output}"]
    if kinds[PIXELATED]:
        parts.append(f"faces pixelated in {kinds[PIXELATED]}")
    if kinds[NO_FACE]:
        parts.append(f"no face found in {kinds[NO_FACE]}, check them")
    if kinds[FAILED]:
        parts.append(f"{kinds[FAILED]} failed")
    num_partial = sum(bool(r.num_broken or r.note) for r in results)
    if num_partial:
        parts.append(f"{num_partial} with broken packets or notes, see above")
    if kinds[LEFT_OUT]:
        parts.append(f"{kinds[LEFT_OUT]} left out")
    return "; ".join(parts)


def try_file(file: pathlib.Path, work: Callable[[], Made]) -> Made | FileResult:
    """Returns what work on a file returns, or a `FileResult` if that fails.

    Args:
      work: may raise any error.
    """
    try:
        return work()
    except Exception as error:  # whatever it is, the other files must be processed
        text = error_text(error, PhotoError, VideoError, KnownFaceError, RegionError)
        reason = text.removeprefix(f"{file}: ")
    return FileResult(str(file), FAILED, reason=reason)
