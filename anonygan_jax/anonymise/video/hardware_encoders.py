"""Encoders of graphics processors: FFmpeg knows more of them than can be used."""

import fractions
import functools
from typing import Any

import av
import numpy as np

_KINDS = ("nvenc", "videotoolbox", "qsv", "amf")
_CODECS = ("h264", "hevc", "av1")


def check_hardware() -> None:
    """Accepts a machine of which a graphics processor encodes videos.

    Raises:
      ValueError: there is none that FFmpeg can use here.
    """
    if not any(hardware_encoder(codec) for codec in _CODECS):
        tried = ", ".join(_KINDS)
        raise ValueError(f"no hardware encoder can be used here (tried {tried})")


@functools.cache
def hardware_encoder(codec: str) -> str:
    """Returns an encoder of a codec that works here, in FFmpeg's words; "" of none."""
    names = [f"{codec}_{kind}" for kind in _KINDS]
    return next((name for name in names if _works(name)), "")


def _works(name: str) -> bool:
    """Whether an encoder can be used here: tried with a black picture."""
    try:
        context: Any = av.CodecContext.create(name, "w")
        context.width = context.height = 256
        context.pix_fmt, context.time_base = "yuv420p", fractions.Fraction(1, 25)
        black = av.VideoFrame.from_ndarray(np.zeros((256, 256, 3), np.uint8), "rgb24")
        context.encode(black)
        context.encode(None)
    except (av.error.FFmpegError, av.codec.codec.UnknownCodecError):
        return False
    return True
