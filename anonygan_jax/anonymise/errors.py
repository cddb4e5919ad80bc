"""Failing closed: a face that fails is covered, a file that fails is left out.

These are the two places where any exception is caught, whatever it is: dlib, OpenCV,
ONNX Runtime, JAX, Pillow and FFmpeg each raise their own, and a fault of ours counts as
much. None is lost: its kind and text go into the report.
"""

import pathlib
from collections.abc import Callable
from typing import TypeVar

from anonygan_jax.anonymise.batch.outcomes import FAILED, FileResult
from anonygan_jax.anonymise.video.transcode import VideoError
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.methods import MethodError

Made = TypeVar("Made")


def try_face(work: Callable[[], Made]) -> tuple[Made | None, str | None]:
    """Returns what work on a face makes, or why the face must be pixelated."""
    try:
        return work(), None
    except Exception as error:  # reason: whatever it was, the face must be pixelated
        # dlib, OpenCV, ONNX Runtime and JAX have no common error, and a fault of ours
        # counts as much; its kind goes into the report.
        return None, _text(error, DegenerateFaceError, MethodError)


def try_file(
    file: pathlib.Path, output: pathlib.Path, work: Callable[[], Made]
) -> Made | FileResult:
    """Returns what work on a file makes, or its outcome if that fails.

    A result of an earlier run is deleted then: it must not outlive the failure.

    Args:
      file: that is worked on.
      output: its result.
      work: raises what it likes.
    """
    try:
        return work()
    except Exception as error:  # reason: the other files must be done all the same
        # Pillow and FFmpeg raise theirs, too; the kind goes into the report, and no
        # result of this file may be left.
        reason = _text(error, PhotoError, VideoError).removeprefix(f"{file}: ")
    try:
        output.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # then there is no earlier result
    except OSError as error:
        reason += f"; an earlier result is left, too: {error}"
    return FileResult(str(file), FAILED, reason=reason)


def _text(error: Exception, *expected: type[Exception]) -> str:
    """An error's text; with its kind if it is none that users can cause."""
    if isinstance(error, expected):
        return str(error)
    return f"{type(error).__name__}: {error}"
