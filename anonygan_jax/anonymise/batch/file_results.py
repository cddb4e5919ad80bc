"""Results of files: an entry of report.json, a line on the screen, the exit code."""

import dataclasses
import pathlib
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from anonygan_jax.anonymise.errors import VideoError, error_text
from anonygan_jax.anonymise.results import (
    KEPT,
    PIXELATED,
    REPLACED,
    FaceReport,
    TrackReport,
)
from anonygan_jax.io.photos import PhotoError

Made = TypeVar("Made")

REPORT = "report.json"
NO_FACE, FAILED = "no face", "failed"
EXIT_FAILED, EXIT_PIXELATED = 2, 3


@dataclasses.dataclass(frozen=True)
class FileResult:
    """What was done with one photo or video.

    Attributes:
      photo: the file's path as given.
      kind: REPLACED, all faces were replaced or kept by the policy; PIXELATED, some
        were pixelated instead; NO_FACE, none was detected; FAILED.
      result: path of the written file, if there is one.
      reason: of FAILED and NO_FACE.
      method: name of the method, and the step of its weights if it has any.
      fingerprint: of the file, see `journal.fingerprint_of`.
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
    num_frames: int | None = None
    num_broken: int = 0
    note: str = ""

    @classmethod
    def from_dict(cls, entry: dict[str, Any]) -> "FileResult":
        """Returns the result of an entry of report.json."""
        faces = []
        for face in entry["faces"]:
            kind = TrackReport if "track" in face else FaceReport
            faces.append(kind(**{**face, "box_xyxy": tuple(face["box_xyxy"])}))
        return cls(**{**entry, "faces": tuple(faces)})

    def line(self) -> str:
        """Returns the line that is shown on the screen."""
        if self.kind == FAILED:
            return f"error: {self.photo}: {self.reason}; no result written"
        if self.kind == NO_FACE:
            done = f"copied to {self.result}" if self.result else "no result written"
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
    """Returns 2 if a file failed, else 3 if a face was pixelated, else 0."""
    kinds = {result.kind for result in results}
    if FAILED in kinds:
        return EXIT_FAILED
    return EXIT_PIXELATED if PIXELATED in kinds else 0


def summary(results: list[FileResult], output: pathlib.Path) -> str:
    """Returns the last line on the screen."""
    kinds = Counter(result.kind for result in results)
    done = kinds[REPLACED] + kinds[PIXELATED]
    parts = [f"anonymised {done} of {len(results)} files, results in {output}"]
    if kinds[PIXELATED]:
        parts.append(f"faces pixelated in {kinds[PIXELATED]}")
    if kinds[NO_FACE]:
        parts.append(f"no face found in {kinds[NO_FACE]}, check them")
    if kinds[FAILED]:
        parts.append(f"{kinds[FAILED]} failed")
    return "; ".join(parts)


def try_file(
    file: pathlib.Path, output: pathlib.Path, work: Callable[[], Made]
) -> Made | FileResult:
    """Returns what work on a file returns, or a `FileResult` if that fails.

    If it fails, the result of an earlier run is deleted.

    Args:
      output: its result.
      work: may raise any error.
    """
    try:
        return work()
    except Exception as error:  # whatever it is, the other files must be processed
        reason = error_text(error, PhotoError, VideoError).removeprefix(f"{file}: ")
    try:
        output.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # there is no earlier result
    except OSError as error:
        reason += f"; an earlier result is left, too: {error}"
    return FileResult(str(file), FAILED, reason=reason)
