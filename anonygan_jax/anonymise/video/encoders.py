"""Which encoder writes a video, in which pixel format, and how large it may get."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import av
from av.codec.codec import find_best_pix_fmt_of_list

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.video.encoder_options import options_of
from anonygan_jax.anonymise.video.encoding import (
    AV1,
    H264,
    H265,
    SAME,
    Encoding,
)
from anonygan_jax.anonymise.video.hardware_encoders import hardware_encoder
from anonygan_jax.anonymise.video.light import x265_light

os.environ.setdefault("SVT_LOG", "1")  # else SVT-AV1 writes pages to the screen

# FFmpeg's names of codecs that are kept, by the suffix of the result; first the one
# that replaces others.
_KEPT = {
    ".mp4": ("h264", "hevc", "av1"),
    ".mov": ("h264", "hevc", "prores"),
    ".mkv": ("h264", "hevc", "av1", "vp9", "vp8"),
    ".webm": ("vp9", "av1", "vp8"),
}
_CODEC_OF = {H264: "h264", H265: "hevc", AV1: "av1"}
_SOFTWARE = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx",
    "prores": "prores_ks",
}
# Bits, then samples of chroma, of formats that players know.
_FORMATS = ("yuv420p", "yuv422p", "yuv444p")
_DEEP = tuple(f"{name}10le" for name in _FORMATS)
_PRORES = ("yuv422p10le", "yuv444p10le", "yuva444p10le")
_WITH_OPACITY = ("yuva420p",)
_INTERLACED = (2, 3, 4, 5)  # FFmpeg's numbers of field orders
_WITH_FIELDS = ("libx264", "prores_ks")  # encoders
# Codecs. PyAV cannot tell it to the container of others.
_WITH_RATIO = ("h264", "hevc", "prores")


@dataclasses.dataclass(frozen=True)
class Encoder:
    """The encoder of one result.

    Attributes:
      name: FFmpeg's.
      codec: FFmpeg's name.
      pix_fmt: of the pictures that are made ready.
      options: of the encoder.
      is_interlaced: whether the source is, as far as its header tells.
      keeps_fields: whether the result can be interlaced, too.
      keeps_ratio: whether its pixels can be other than square.
      is_sdr: whether HDR becomes SDR.
      note: what is not as in the source; "" if nothing.
    """

    name: str
    codec: str
    pix_fmt: str
    options: Mapping[str, str]
    is_interlaced: bool = False
    keeps_fields: bool = False
    keeps_ratio: bool = True
    is_sdr: bool = False
    note: str = ""

    @property
    def stream_format(self) -> str:
        """The pixel format of the encoder: hardware may have another for the same."""
        known = [form.name for form in av.Codec(self.name, "w").video_formats or ()]
        if not known or self.pix_fmt in known:
            return self.pix_fmt
        return _best(known, self.pix_fmt, "a" in self.pix_fmt)

    def options_for(self, picture: Any) -> dict[str, str]:
        """Returns the options, with what the first picture tells of its light."""
        options = dict(self.options)
        if self.name == "libx265" and not self.is_sdr and (told := x265_light(picture)):
            options["x265-params"] += f":{told}"
        return options


def encoder_for(
    path: pathlib.Path, stream: Any, suffix: str, how: Encoding, rate: int
) -> Encoder:
    """Returns the encoder of a video's result.

    Args:
      path: of the source.
      stream: PyAV's, of the source.
      suffix: of the result, one of those in `_KEPT`.
      rate: bits a second of the source; 0 if they are not known.

    Raises:
      VideoError: pictures of an unknown format.
    """
    source = stream.codec_context.codec.canonical_name
    if stream.format is None:
        raise VideoError(f"{path}: cannot be decoded (unknown pixel format)")
    bits = max(part.bits for part in stream.format.components)
    is_deep = bits > 8 and not how.is_sdr
    codec = _codec(source, suffix, how.codec, is_deep)
    name, note = _name(codec, how)
    pix_fmt = _pix_fmt(name, stream, is_deep, codec == source)
    notes = [note]
    if _has_opacity(stream) and not pix_fmt.startswith("yuva"):
        notes.append("its opacity is left out")
    return Encoder(
        name,
        codec,
        pix_fmt,
        options_of(name, how.quality, stream.profile, rate),
        stream.codec_context.field_order in _INTERLACED,
        name in _WITH_FIELDS,
        codec in _WITH_RATIO,
        how.is_sdr,
        ", ".join(filter(None, notes)),
    )


def _codec(source: str, suffix: str, wanted: str, is_deep: bool) -> str:
    """FFmpeg's name of the result's codec."""
    kept = _KEPT[suffix]
    if wanted != SAME and _CODEC_OF[wanted] in kept:
        return _CODEC_OF[wanted]
    if source in kept:
        return source
    return "hevc" if is_deep and "hevc" in kept else kept[0]


def _name(codec: str, how: Encoding) -> tuple[str, str]:
    """FFmpeg's name of an encoder, and a note if it is not the wanted kind."""
    if not how.is_hardware:
        return _SOFTWARE[codec], ""
    name = hardware_encoder(codec)
    return name or _SOFTWARE[codec], "" if name else f"no hardware encoder of {codec}"


def _pix_fmt(name: str, stream: Any, is_deep: bool, is_kept: bool) -> str:
    """The best format of an encoder that players know, too."""
    if name == "prores_ks":
        wanted = list(_PRORES)
    else:
        # A codec that is new to the video has chroma that all players know.
        wanted = list((_DEEP if is_deep else _FORMATS)[: None if is_kept else 1])
        if name.startswith("libvpx") and _has_opacity(stream):
            wanted = list(_WITH_OPACITY)
    known = {form.name for form in av.Codec(name, "w").video_formats or ()}
    usable = [form for form in wanted if form in known] or ["yuv420p"]
    return _best(usable, stream.format.name, _has_opacity(stream))


def _best(known: list[str], pix_fmt: str, has_opacity: bool) -> str:
    """The format among some that loses least."""
    best, _ = find_best_pix_fmt_of_list(known, pix_fmt, has_opacity)
    assert best is not None
    return best.name


def _has_opacity(stream: Any) -> bool:
    """Whether pictures have opacity, in them or (VP8, VP9) beside them."""
    beside = stream.metadata.get("alpha_mode") == "1"
    return beside or any(part.is_alpha for part in stream.format.components)
