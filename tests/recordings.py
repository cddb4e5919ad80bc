"""Small recordings with much beside their pictures, made for tests, and their results.

Pictures are of one colour. A result has them as they are: only what is beside them is
made by the package.
"""

import dataclasses
import fractions
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.video.container import opened, video_of
from anonygan_jax.anonymise.video.side_streams import SideStreams
from anonygan_jax.anonymise.video.source import Video

SIDE = 32  # pixels
RNG = np.random.default_rng(0)  # noise, or packets would not differ
MILLISECOND = fractions.Fraction(1, 1000)


@dataclasses.dataclass
class Sound:
    """A track of sound: a click of 2 ms at each of some seconds.

    Attributes:
      codec, rate, layout: of the encoder.
      clicks: seconds.
      start: second of the first sample.
      tags, disposition: of the stream.
    """

    codec: str = "aac"
    rate: int = 48_000
    layout: str = "mono"
    clicks: Sequence[float] = (0.5,)
    start: float = 0.0
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    disposition: int = 0


@dataclasses.dataclass
class Subtitles:
    """A track of subtitles.

    Attributes:
      codec: "subrip", "ass", "webvtt" or "mov_text".
      cues: first and last millisecond, and text.
    """

    codec: str = "subrip"
    cues: Sequence[tuple[int, int, str]] = ((100, 300, "one"), (500, 700, "two"))
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    disposition: int = 0


def write_recording(
    path: pathlib.Path,
    *tracks: Sound | Subtitles,
    seconds: float = 1.0,
    rate: int = 10,
    start: int = 0,
    pictures: str = "mpeg4",
    before: Callable[[Any], None] = lambda _: None,
    last: Callable[[], Sequence[Any]] = list,
) -> pathlib.Path:
    """Writes pictures and tracks.

    Args:
      rate: pictures a second.
      start: number of the first picture's time.
      pictures: encoder of the pictures.
      before: called with the container before its header.
      last: makes further packets.
    """
    with av.open(str(path), "w") as out:
        shown = out.add_stream(pictures, rate=rate)
        shown.width = shown.height = SIDE
        shown.pix_fmt = "yuv420p"
        streams = [_stream(out, track) for track in tracks]
        before(out)
        chunks = [_pictures(shown, round(seconds * rate), start, rate)]
        for track, stream in zip(tracks, streams, strict=True):
            make = _sound if isinstance(track, Sound) else _cues
            chunks.append(make(track, stream, seconds))
        for _, packet in sorted(
            (one for chunk in chunks for one in chunk), key=lambda one: one[0]
        ):
            out.mux(packet)
        out.mux(last())
    return path


def _stream(out: Any, track: Sound | Subtitles) -> Any:
    """A stream for a track."""
    if isinstance(track, Sound):
        stream = out.add_stream(track.codec, rate=track.rate, layout=track.layout)
        stream.options = {"strict": "experimental"}  # for Vorbis
    else:
        stream = out.add_stream(track.codec)
        decoder: Any = av.CodecContext.create("subrip", "r")
        decoder.open()
        stream.codec_context.subtitle_header = decoder.subtitle_header
        stream.codec_context.time_base = MILLISECOND
    stream.metadata.update(track.tags)
    stream.disposition = track.disposition
    return stream


def _pictures(
    stream: Any, count: int, start: int, rate: int
) -> Iterator[tuple[float, Any]]:
    """Packets and their seconds."""
    image = np.full((SIDE, SIDE, 3), 90, np.uint8)
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        frame.pts = start + number
        frame.time_base = fractions.Fraction(1, rate)
        for packet in stream.encode(frame):
            yield (start + number) / rate, packet
    for packet in stream.encode(None):
        yield (start + count) / rate, packet


def _sound(track: Sound, stream: Any, seconds: float) -> Iterator[tuple[float, Any]]:
    """Packets and their seconds; the sound ends with the pictures."""
    rate, channels = track.rate, av.AudioLayout(track.layout).nb_channels
    step = rate // 10
    for number in range(round((seconds - track.start) * 10)):
        wave = RNG.uniform(-0.01, 0.01, (step, channels)).astype(np.float32)
        first = track.start + number / 10
        for click in track.clicks:
            place = round((click - first) * rate)
            wave[max(place, 0) : max(place + rate // 500, 0)] = 0.9
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), "flt", track.layout)
        frame.sample_rate, frame.pts = rate, round(first * rate)
        frame.time_base = fractions.Fraction(1, rate)
        for packet in stream.encode(frame):
            yield first, packet
    for packet in stream.encode(None):
        yield seconds, packet


def _cues(track: Subtitles, stream: Any, _: float) -> Iterator[tuple[float, Any]]:
    """Packets and their seconds."""
    for number, (start, end, text) in enumerate(track.cues):
        line = text.replace("\n", "\\N")
        event = f"{number},0,Default,,0,0,0,,{line}".encode()
        subtitle = av.subtitles.subtitle.SubtitleSet.create(event, 0, end - start)
        packet = stream.codec_context.encode_subtitle(subtitle)
        packet.stream, packet.time_base = stream, MILLISECOND
        packet.pts = packet.dts = start
        packet.duration, packet.is_keyframe = end - start, True
        yield start / 1000, packet


def result_of(
    path: pathlib.Path, suffix: str, keep_audio: bool = True
) -> tuple[str, pathlib.Path]:
    """The note and the result: the same pictures, and what `SideStreams` makes."""
    output = path.with_name(f"out{suffix}")
    video = Video(path)
    list(video.frames())
    with (
        SideStreams.made(video, suffix, keep_audio) as side,
        opened(path) as source,
        av.open(str(output), "w") as target,
    ):
        pictures = video_of(source)
        stream = target.add_stream_from_template(pictures, opaque=True)
        side.add_to(target)
        for packet in source.demux(pictures):
            if packet.size:
                side.write(until=float(packet.pts * packet.time_base))
                packet.stream = stream
                target.mux(packet)
        side.write(until=float("inf"))
    return side.note, output


def clicks_in(path: pathlib.Path, number: int = 0) -> list[float]:
    """Seconds between the first picture and each click of a track, as decoded."""
    with av.open(str(path)) as container:
        first = float(next(container.decode(video=0)).time)
    clicks: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=number):
            samples = frame.to_ndarray()
            if not frame.format.is_planar:
                samples = samples.reshape(-1, frame.layout.nb_channels).T
            full = np.iinfo(samples.dtype).max if samples.dtype.kind == "i" else 1
            size = np.abs(samples / full).max(axis=0)
            for place in np.flatnonzero(size > 0.3):
                time = float(frame.time) + place / frame.sample_rate - first
                if not clicks or time - clicks[-1] > 0.05:
                    clicks.append(time)
    return clicks


def cues_in(path: pathlib.Path, number: int = 0) -> list[tuple[float, float, str]]:
    """First and last second and text of each cue that shows something."""
    cues = []
    with av.open(str(path)) as container:
        for packet in container.demux(subtitles=number):
            shown = packet.decode() if packet.size else []
            text = "\n".join(one.dialogue.decode() for one in shown)
            if text:
                start = float(packet.pts * packet.time_base)
                length = float(packet.duration * packet.time_base)
                cues.append((start, start + length, text))
    return cues
