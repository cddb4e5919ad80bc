"""Sound of a video, made ready for MP4 before its pictures: they never fail with it."""

import fractions
import pathlib
from collections.abc import Sequence
from typing import Any, BinaryIO

import av

from anonygan_jax.anonymise.video.container import opened, packets_of
from anonygan_jax.anonymise.video.timeline import Timeline

SOUND_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "alac"))
RATE = 48_000  # of sound whose rate AAC does not have
JITTER = 0.1  # seconds: time stamps that are less wrong than this are made even


def make_sound(
    video: pathlib.Path, file: BinaryIO, offsets: Sequence[float] = ()
) -> str:
    """Writes the first sound of a video alone as an MP4 file, if it has any.

    It is copied where MP4 can contain it, else made new.

    Args:
      file: an empty one; it stays empty if there is no sound or it fails.
      offsets: of the pictures, see `Timeline`.

    Returns:
      Why the sound is left out or incomplete; "" if it is not.

    Raises:
      VideoError: the video cannot be opened.
    """
    failed = ""
    with opened(video) as source:
        if not source.streams.audio:
            return ""
        context = source.streams.audio[0].codec_context
        if context is None:
            return "without sound, whose codec is unknown"
        codec = context.codec.canonical_name
    for write in (_copied, _encoded) if codec in SOUND_IN_MP4 else (_encoded,):
        try:
            with (
                opened(video) as source,
                av.open(file, "w", format="mp4") as target,
            ):
                timeline = Timeline(offsets)
                num_broken = write(source, source.streams.audio[0], target, timeline)
            left_out = f"{num_broken} broken packets of sound left out"
            return left_out if num_broken else ""
        except (av.error.FFmpegError, ValueError) as error:
            failed = getattr(error, "strerror", None) or str(error)
        file.seek(0)
        file.truncate()
    return f"without sound, which cannot be used ({codec}: {failed})"


def _copied(source: Any, stream: Any, target: Any, timeline: Timeline) -> int:
    """Copies a stream; the number of packets that cannot be read."""
    copy, num_broken = target.add_stream_from_template(stream), 0
    for packet in packets_of(source, stream):
        if packet is None:
            num_broken += 1
        elif packet.dts is not None:
            unit = packet.time_base
            step = float((packet.duration or 0) * unit)
            offset = round(timeline.offset(float(packet.dts * unit), step) / unit)
            packet.dts += offset
            if packet.pts is not None:
                packet.pts += offset
            packet.stream = copy
            target.mux(packet)
    return num_broken


def _encoded(source: Any, stream: Any, target: Any, timeline: Timeline) -> int:
    """Encodes a stream as AAC; the number of packets that cannot be decoded.

    Time stamps are counted in samples, as those of some containers are too coarse.
    """
    rate, num_broken, expected = stream.codec_context.sample_rate, 0, None
    allowed = av.Codec("aac", "w").audio_rates or ()
    aac = target.add_stream("aac", rate=rate if rate in allowed else RATE)
    for packet in packets_of(source, stream):
        try:
            decoded = [] if packet is None else packet.decode()
        except av.error.FFmpegError:
            packet = None
        if packet is None:
            num_broken += 1
            continue
        for frame in decoded:
            start = expected or 0
            if frame.time is not None:
                step = frame.samples / frame.sample_rate
                offset = timeline.offset(frame.time, step)
                told = round((frame.time + offset) * frame.sample_rate)
                if expected is None or told - expected > JITTER * frame.sample_rate:
                    start = told
            frame.pts, frame.time_base = start, fractions.Fraction(1, frame.sample_rate)
            expected = start + frame.samples
            target.mux(aac.encode(frame))
    target.mux(aac.encode(None))
    return num_broken
