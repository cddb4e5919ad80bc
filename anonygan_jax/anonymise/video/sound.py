"""Sound beside the pictures: copied where its container takes it, else made new."""

import contextlib
import dataclasses
import errno
import functools
import tempfile
from collections.abc import Iterator, Set
from typing import Any, BinaryIO

import av

from anonygan_jax.anonymise.video.output_formats import OutputFormat
from anonygan_jax.anonymise.video.side_track import (
    RATE,
    TRACK_ERRORS,
    SideTrack,
    StreamOfFile,
    TrackPackets,
    copied,
    tried,
)
from anonygan_jax.anonymise.video.sound_frames import decoded, even, uniform
from anonygan_jax.anonymise.video.timeline import Timeline
from anonygan_jax.io.worker_process import sign_of_life

BIT_RATE = 96_000  # of a channel
# AAC has at most 6144 bits in 1024 samples of a channel.
_BITS_IN_SAMPLE = 6
# By number of channels, where their places are unknown to the encoder.
_LAYOUTS = {
    **{1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0"},
    **{6: "5.1", 7: "6.1", 8: "7.1"},
}
# The same places, which more decoders know.
_SAME_PLACES = {"5.0(side)": "5.0", "5.1(side)": "5.1"}
# Their headers have tags, and pictures among them.
WITH_TAGS = frozenset(("vorbis", "speex"))


def make_sound(
    stream_of_file: StreamOfFile, output: OutputFormat, stack: contextlib.ExitStack
) -> SideTrack:
    """Returns sound that is copied where possible, else made new.

    Args:
      stack: closes the file of new sound.

    Raises:
      one of `TRACK_ERRORS`: the sound can neither be copied nor decoded.
      OSError: the disk is full.
    """
    with stream_of_file.packets() as (stream, _):
        if stream.codec_context is None:
            raise ValueError("unknown codec")
        codec = stream.codec_context.codec.canonical_name
    is_played = output.copied_sound is None or codec in output.copied_sound
    if is_played and codec not in WITH_TAGS:
        broken = set[int]()
        with contextlib.suppress(*TRACK_ERRORS):
            track = tried(functools.partial(_checked, stream_of_file, broken), output)
            as_it_is = functools.partial(_copied_without, stream_of_file, broken)
            return dataclasses.replace(track, opened=as_it_is)
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    num_broken, mixed = _encode(stream_of_file, output.sound, file)
    try:
        track = tried(functools.partial(_read_again, file), output)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # FFmpeg looks for a place before the file's first byte.
        raise ValueError("time stamps that are too large") from error
    return dataclasses.replace(track, num_broken=num_broken, mixed=mixed)


@contextlib.contextmanager
def _checked(stream_of_file: StreamOfFile, broken: set[int]) -> Iterator[TrackPackets]:
    """Gives sound as it is; adds the numbers of packets that cannot be decoded."""

    def decodable(packets: Iterator[Any]) -> Iterator[Any]:
        for number, packet in enumerate(packets):
            try:
                is_broken = packet is None or packet.decode() is None
            except av.error.FFmpegError:
                is_broken = True
            if is_broken:
                broken.add(number)
            yield None if is_broken else packet

    with copied(stream_of_file) as (stream, packets):
        yield stream, decodable(packets)


@contextlib.contextmanager
def _copied_without(
    stream_of_file: StreamOfFile, broken: Set[int]
) -> Iterator[TrackPackets]:
    """Gives sound as it is, but for packets with some numbers."""
    with copied(stream_of_file) as (stream, packets):
        yield stream, (p for n, p in enumerate(packets) if n not in broken)


def _encode(
    stream_of_file: StreamOfFile, codec: str, file: BinaryIO
) -> tuple[int, str]:
    """Writes sound as MP4; how many packets are broken, and which channels are lost."""
    num_broken, mixed, encoder = 0, "", None
    with (
        stream_of_file.packets() as (_, packets),
        av.open(file, "w", format="mp4") as target,
    ):
        timeline = Timeline(stream_of_file.offsets)
        for frame in even(uniform(decoded(packets)), timeline):
            if frame is None:
                num_broken += 1
                continue
            if encoder is None:
                encoder = _add_encoder(target, codec, frame)
                before, after = frame.layout.nb_channels, encoder.layout.nb_channels
                if after < before:
                    mixed = f"{before} channels mixed to {after}"
            target.mux(encoder.encode(frame))
            sign_of_life()
        if encoder is None:
            raise ValueError("cannot be decoded" if num_broken else "empty")
        target.mux(encoder.encode(None))
    return num_broken, mixed


@contextlib.contextmanager
def _read_again(file: BinaryIO) -> Iterator[TrackPackets]:
    """Gives the sound of a file that `_encode` wrote."""
    file.seek(0)
    with av.open(file, "r", format="mov") as container:
        stream = container.streams.audio[0]
        yield stream, (p for p in container.demux(stream) if p.size)


def _add_encoder(target: Any, codec: str, frame: Any) -> Any:
    """A new stream for frames such as this one."""
    rate, layout = frame.sample_rate, _layout_for(codec, frame.layout)
    rate = rate if rate in (av.Codec(codec, "w").audio_rates or ()) else RATE
    of_channel = min(BIT_RATE, _BITS_IN_SAMPLE * rate)
    num_channels = av.AudioLayout(layout).nb_channels
    return target.add_stream(
        codec, rate=rate, layout=layout, bit_rate=of_channel * num_channels
    )


def _layout_for(codec: str, layout: Any) -> str:
    """The first that an encoder takes: the same, as many channels, or two."""
    same = _SAME_PLACES.get(layout.name, layout.name)
    for name in (same, _LAYOUTS.get(layout.nb_channels)):
        context: Any = av.CodecContext.create(codec, "w")
        with contextlib.suppress(av.error.FFmpegError, ValueError):
            context.layout, context.sample_rate = name or "stereo", RATE
            context.format = context.codec.audio_formats[0]
            context.open()
            return context.layout.name
    return "stereo"
