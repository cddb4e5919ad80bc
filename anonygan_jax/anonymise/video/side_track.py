"""A stream beside the pictures, tried before them and written with them."""

import contextlib
import dataclasses
import fractions
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import av
from av.stream import Discard

from anonygan_jax.anonymise.video.container import opened, packets_of
from anonygan_jax.anonymise.video.output_formats import OutputFormat, opened_nowhere
from anonygan_jax.anonymise.video.timeline import Timeline
from anonygan_jax.io.worker_process import sign_of_life

# A template of a stream, and its packets in order; None for one that cannot be read.
TrackPackets = tuple[Any, Iterator[Any]]
RATE = 48_000  # of sound, where none is told or it cannot be kept
# What a stream that cannot be used raises, for all of which it is left out.
TRACK_ERRORS = (av.error.FFmpegError, ValueError, ArithmeticError, LookupError)
_ALIVE_EVERY = 1000  # packets


@dataclasses.dataclass(frozen=True)
class StreamOfFile:
    """A stream of a video, and what keeps it in time with the pictures.

    Attributes:
      path: of the video.
      index: of the stream.
      offsets: of the pictures, see `Timeline`.
    """

    path: pathlib.Path
    index: int
    offsets: Sequence[float] = ()

    @contextlib.contextmanager
    def packets(self) -> Iterator[TrackPackets]:
        """Gives the stream, and its packets as `packets_of` reads them."""
        with opened(self.path) as container:
            stream = container.streams[self.index]
            for other in container.streams:
                if other.index != self.index:
                    other.discard = Discard.all
            yield stream, packets_of(container, stream)


@dataclasses.dataclass(frozen=True)
class SideTrack:
    """A stream that is known to be accepted by the container of the result.

    Attributes:
      opened: gives its packets; they are read while the pictures are written.
      num_packets: that can be read; without any there is nothing to write.
      num_broken: packets that cannot be read or decoded.
      mixed: how many channels of sound became how many; "" if none was lost.
      tags: language and title.
      disposition: what it is for, bits of PyAV's `Disposition`.
    """

    opened: Callable[[], contextlib.AbstractContextManager[TrackPackets]]
    num_packets: int
    num_broken: int = 0
    mixed: str = ""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    disposition: int = 0


def tried(
    open_track: Callable[[], contextlib.AbstractContextManager[TrackPackets]],
    output: OutputFormat,
) -> SideTrack:
    """Returns a track whose packets were all written once, to nowhere.

    Raises:
      one of `TRACK_ERRORS`: the container does not accept them.
    """
    num_packets = num_broken = 0
    with open_track() as (template, packets), opened_nowhere(output.name) as target:
        stream = target.add_stream_from_template(template)
        for packet in packets:
            if packet is None:
                num_broken += 1
                continue
            packet.stream = stream
            target.mux(packet)
            num_packets += 1
            if num_packets % _ALIVE_EVERY == 0:
                sign_of_life()
    return SideTrack(open_track, num_packets, num_broken)


@contextlib.contextmanager
def copied(stream_of_file: StreamOfFile) -> Iterator[TrackPackets]:
    """Gives a stream as it is, but for time stamps that start again or are uneven."""
    with stream_of_file.packets() as (stream, packets):
        timeline = Timeline(stream_of_file.offsets)
        in_time = _sound_in_time if stream.type == "audio" else _in_time
        yield stream, in_time(stream, packets, timeline)


def _in_time(stream: Any, packets: Iterator[Any], timeline: Timeline) -> Iterator[Any]:
    """Packets whose time stamps do not start again."""
    for packet in packets:
        if packet is None:
            yield None
        elif packet.dts is not None:
            unit = packet.time_base
            step = float((packet.duration or 0) * unit)
            offset = round(timeline.offset(float(packet.dts * unit), step) / unit)
            packet.dts += offset
            if packet.pts is not None:
                packet.pts += offset
            yield packet


def _sound_in_time(
    stream: Any, packets: Iterator[Any], timeline: Timeline
) -> Iterator[Any]:
    """Packets whose time stamps grow, counted in samples.

    The unit of some containers is coarse. A packet that begins where the last one ends,
    to one such unit, begins exactly there.
    """
    rate = stream.codec_context.sample_rate or RATE
    size = stream.codec_context.frame_size  # 0 if packets differ
    expected: float | None = None
    last: int | None = None
    for packet in packets:
        if packet is None:
            yield None
            continue
        if not packet.size:  # that empties a decoder
            continue
        unit = float(packet.time_base * rate)
        step = size or (packet.duration or 0) * unit
        start = packet.pts if packet.pts is not None else packet.dts
        told = (expected or 0) if start is None else start * unit
        told += timeline.offset(told / rate, step / rate) * rate
        if size and expected is not None and abs(told - expected) <= unit:
            told = expected
        position = round(told) if last is None else max(round(told), last + 1)
        packet.time_base = fractions.Fraction(1, rate)
        packet.pts = packet.dts = position
        packet.duration = round(step)
        expected, last = position + step, position
        yield packet
