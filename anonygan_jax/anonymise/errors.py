"""Errors: a face that fails is pixelated, a file that fails has no result.

Only these two functions catch every exception: dlib, OpenCV, ONNX Runtime, JAX, Pillow
and FFmpeg each raise their own. Its kind and text go into the report.
"""

import pathlib
from collections.abc import Callable
from typing import TypeVar

from anonygan_jax.anonymise.batch.file_results import FAILED, FileResult
from anonygan_jax.anonymise.video.transcode import VideoError
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.methods import MethodError

Made = TypeVar("Made")


def try_face(work: Callable[[], Made]) -> tuple[Made | None, str | None]:
    """Returns what work on a face returns, or why the face must be pixelated."""
    try:
        return work(), None
    except Exception as error:  # whatever it is, the face must be pixelated
        return None, _text(error, DegenerateFaceError, MethodError)


def try_file(
    file: pathlib.Path, output: pathlib.Path, work: Callable[[], Made]
) -> Made | FileResult:
    """Returns what work on a file returns, or a `FileResult` if that fails.

    If it fails, the result of an earlier run is deleted.

    Args:
      file: the photo or video.
      output: its result.
      work: may raise any error.
    """
    try:
        return work()
    except Exception as error:  # whatever it is, the other files must be processed
        reason = _text(error, PhotoError, VideoError).removeprefix(f"{file}: ")
    try:
        output.unlink(missing_ok=True)
    except NotADirectoryError:
        pass  # there is no earlier result
    except OSError as error:
        reason += f"; an earlier result is left, too: {error}"
    return FileResult(str(file), FAILED, reason=reason)


def _text(error: Exception, *expected: type[Exception]) -> str:
    """An error's text, with its kind unless it is expected."""
    if isinstance(error, expected):
        return str(error)
    return f"{type(error).__name__}: {error}"
