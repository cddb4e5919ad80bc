"""Subtitles beside the pictures: copied where possible, else made new as plain text."""

import contextlib
import fractions
import functools
import html
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

import av

from anonygan_jax.anonymise.video.output_formats import OutputFormat, opened_nowhere
from anonygan_jax.anonymise.video.side_track import (
    TRACK_ERRORS,
    SideTrack,
    StreamOfFile,
    TrackPackets,
    copied,
    tried,
)
from anonygan_jax.anonymise.video.timeline import Timeline

Cue = tuple[float, float, str]  # first and last second, and what is shown
_MILLISECOND = fractions.Fraction(1, 1000)
_WHILE = 5.0  # seconds that a last cue without an end is shown
_NUM_FIELDS = 8  # of an event of ASS, before its text
_MAX_AT_ONCE = 20  # cues
_LONGEST = 2**16 - 1  # bytes of a text in MP4


def make_subtitles(stream_of_file: StreamOfFile, output: OutputFormat) -> SideTrack:
    """Returns subtitles that are copied where possible, else made new as plain text.

    Raises:
      one of `TRACK_ERRORS`: they can neither be copied nor are they text.
    """
    with stream_of_file.packets() as (stream, _):
        if stream.codec_context is None:
            raise ValueError("unknown codec")
        is_text = stream.codec_context.codec.text_sub
    with contextlib.suppress(*TRACK_ERRORS):
        return tried(functools.partial(copied, stream_of_file), output)
    if not is_text:
        raise ValueError("pictures")
    return tried(functools.partial(_as_text, stream_of_file, output), output)


@contextlib.contextmanager
def _as_text(
    stream_of_file: StreamOfFile, output: OutputFormat
) -> Iterator[TrackPackets]:
    """Gives subtitles as plain text, in the codec of a container."""
    with (
        stream_of_file.packets() as (_, packets),
        opened_nowhere(output.name) as nowhere,
    ):
        template = nowhere.add_stream(output.text)
        template.codec_context.subtitle_header = _header()
        template.codec_context.time_base = _MILLISECOND
        nowhere.start_encoding()  # fills in what a template needs
        cues = _cues(packets, Timeline(stream_of_file.offsets))
        yield template, _packets(_one_at_a_time(cues), output.text)


def _header() -> bytes:
    """The header of ASS that FFmpeg's encoders of text want."""
    decoder: Any = av.CodecContext.create("subrip", "r")
    decoder.open()
    return decoder.subtitle_header


def _cues(packets: Iterator[Any], timeline: Timeline) -> Iterator[Cue | None]:
    """The cues of packets; None for a packet that cannot be read or decoded."""
    for packet in packets:
        if packet is not None and (not packet.size or packet.pts is None):
            continue
        try:
            subtitles = None if packet is None else packet.decode()
        except av.error.FFmpegError:
            subtitles = None
        if subtitles is None:
            yield None
            continue
        length = float((packet.duration or 0) * packet.time_base) or math.inf
        start = float(packet.pts * packet.time_base)
        start += timeline.offset(start, 0.0)
        text = "\n".join(filter(None, map(_plain, subtitles)))
        yield start, start + length, text


def _plain(subtitle: Any) -> str:
    """The text of an event of ASS without its styles."""
    text = subtitle.ass.decode(errors="replace").split(",", _NUM_FIELDS)[-1]
    if re.search(r"\{[^}]*\\p[1-9]", text):  # a drawing
        return ""
    text = re.sub(r"\{[^}]*\}", "", text).replace("\\h", " ")
    lines = re.split(r"\\[Nn]|\r?\n", text)
    return "\n".join(line.strip() for line in lines if line.strip())


def _one_at_a_time(cues: Iterator[Cue | None]) -> Iterator[Cue | None]:
    """Cues of which none overlap: the lines of those that do are shown together."""
    shown: list[tuple[float, str]] = []  # last second and text
    now = -math.inf
    for cue in cues:
        if cue is None:
            yield None
            continue
        start, end, text = cue
        if not text and all(end < math.inf for end, _ in shown):
            continue
        start = max(start, now)
        yield from _parts(shown, now, start)
        shown = [one for one in shown if start < one[0] < math.inf]
        if text:
            shown = [*shown, (end, text)][-_MAX_AT_ONCE:]
        now = start
    yield from _parts(shown, now, math.inf)


def _parts(shown: list[tuple[float, str]], now: float, until: float) -> Iterator[Cue]:
    """What is shown in a time in which no cue begins, from the end of each to the next.

    A cue without an end is shown until the next one begins, the last one for a while.
    """
    while shown and now < until:
        end = min(until, min(end for end, _ in shown))
        text = "\n".join(text for _, text in shown)
        if end == math.inf:
            yield now, now + _WHILE, text
            return
        yield now, end, text
        shown, now = [one for one in shown if one[0] > end], end


def _packets(cues: Iterator[Cue | None], codec: str) -> Iterator[Any]:
    """Cues as packets of a codec."""
    for cue in cues:
        if cue is None:
            yield None
            continue
        start, end, text = cue
        packet = av.Packet(_coded(text, codec))
        packet.time_base, packet.is_keyframe = _MILLISECOND, True
        packet.pts = packet.dts = round(start * 1000)
        packet.duration = round(end * 1000) - packet.pts
        if packet.duration > 0:
            yield packet


def _coded(text: str, codec: str) -> bytes:
    """A text as a codec has it."""
    if codec == "mov_text":  # with its length
        data = text.encode()[:_LONGEST].decode(errors="ignore").encode()
        return struct.pack(">H", len(data)) + data
    return (html.escape(text, quote=False) if codec == "webvtt" else text).encode()
