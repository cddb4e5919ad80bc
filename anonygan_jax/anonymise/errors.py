"""Errors, and a face that fails: it is pixelated.

Only `try_face` and `try_file` catch every exception: dlib, OpenCV, ONNX Runtime, JAX,
Pillow and FFmpeg each raise their own. Its kind and text go into the report.
"""

from collections.abc import Callable
from typing import TypeVar

from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.methods.method import MethodError

Made = TypeVar("Made")


class NoFaceError(ValueError):
    """A photo or video in which no face was found."""


class KnownFaceError(ValueError):
    """A face found by other means that is in no frame, or outside the picture."""


class PolicyError(ValueError):
    """A reference photo or region that cannot be used."""


class RegionError(PolicyError):
    """A region outside the picture."""


class VideoError(ValueError):
    """A video that cannot be read; the message says why."""


def try_face(work: Callable[[], Made]) -> tuple[Made | None, str | None]:
    """Returns what work on a face returns, or why the face must be pixelated."""
    try:
        return work(), None
    except Exception as error:  # whatever it is, the face must be pixelated
        return None, error_text(error, DegenerateFaceError, MethodError)


def error_text(error: Exception, *expected: type[Exception]) -> str:
    """Returns an error's text, with its kind unless it is expected."""
    if isinstance(error, expected):
        return str(error)
    return f"{type(error).__name__}: {error}"
