"""Failing closed: a face that fails is covered, a file that fails is left out.

These are the two places where any exception is caught, whatever it is: dlib, OpenCV,
ONNX Runtime, JAX, Pillow and FFmpeg each raise their own, and a fault of ours counts as
much. None is lost: its kind and text go into the report.
"""

import pathlib
from collections.abc import Callable
from typing import TypeVar

from anonygan_jax.anonymise.outcomes import FAILED, Outcome
from anonygan_jax.anonymise.video_files import VideoError
from anonygan_jax.data.crops import DegenerateFaceError
from anonygan_jax.data.photos import PhotoError
from anonygan_jax.methods import MethodError

Made = TypeVar("Made")


def made_or_reason(work: Callable[[], Made]) -> tuple[Made | None, str | None]:
    """Returns what work on a face makes, or why the face must be covered."""
    try:
        return work(), None
    # Broad: dlib, OpenCV, ONNX Runtime and JAX have no common error, and after any, a
    # fault of ours included, the face must be covered; its kind goes into the report.
    except Exception as error:
        return None, _text(error, DegenerateFaceError, MethodError)


def made_or_failed(
    file: pathlib.Path, output: pathlib.Path, work: Callable[[], Made]
) -> Made | Outcome:
    """Returns what work on a file makes, or its outcome if that fails.

    A result of an earlier run is deleted then: it must not outlive the failure.

    Args:
      file: that is worked on.
      output: its result.
      work: raises what it likes.
    """
    try:
        return work()
    # Broad: Pillow and FFmpeg raise theirs, too, and after any the other files must be
    # done and no result of this one left; its kind goes into the report.
    except Exception as error:
        reason = _text(error, PhotoError, VideoError).removeprefix(f"{file}: ")
    try:
        output.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # then there is no earlier result
    except OSError as error:
        reason += f"; an earlier result is left, too: {error}"
    return Outcome(str(file), FAILED, reason=reason)


def _text(error: Exception, *expected: type[Exception]) -> str:
    """An error's text; with its kind if it is none that users can cause."""
    if isinstance(error, expected):
        return str(error)
    return f"{type(error).__name__}: {error}"
