"""Videos read frame by frame, through PyAV."""

import dataclasses
import fractions
import functools
import pathlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.container import (
    check_size,
    decoder_of,
    end_of,
    missing_end,
    opened,
    packets_of,
    video_of,
)
from anonygan_jax.anonymise.video.encoders import Encoder, encoder_for
from anonygan_jax.anonymise.video.encoding import AS_SOURCE, Encoding
from anonygan_jax.anonymise.video.pictures import view_of
from anonygan_jax.anonymise.video.stage import Stage
from anonygan_jax.anonymise.video.timeline import Timeline

DEFAULT_RATE = 25  # frames a second, where none is told
FRAMES_AHEAD = 8  # decoded or rendered before they are needed


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Attributes:
      image: uint8 [H, W, 3] RGB, upright.
      pts: presentation time in the stream's time base.
      seconds: presentation time.
      picture: PyAV's, in the colours of the result; nothing else uses its memory.
      ratio: width to height of a pixel.
      rendered: the image with its faces hidden; None before that.
    """

    image: np.ndarray
    pts: int
    seconds: float
    picture: Any = None
    ratio: fractions.Fraction = fractions.Fraction(1)
    rendered: np.ndarray | None = None


class _Clock:
    """Time stamps that grow, whatever the source's are."""

    def __init__(self, stream: Any) -> None:
        self._base = stream.time_base
        self._step = 1 / (stream.average_rate or stream.guessed_rate or DEFAULT_RATE)
        self._first: int | None = None
        self._last: int | None = None
        self.timeline = Timeline()

    def next(self, picture: Any) -> int:
        """The time of the next picture, in the stream's time base."""
        pts = picture.pts
        if pts is None:
            pts = 0 if self._last is None else self._last + self._ticks(self._step)
        else:  # a deinterlacer counts in halves
            pts = self._ticks(pts * picture.time_base)
        offset = self.timeline.offset(float(pts * self._base), float(self._step))
        pts += self._ticks(offset)
        if self._last is not None and pts <= self._last:  # damaged time stamps
            pts = self._last + 1
        self._last = pts
        self._first = pts if self._first is None else self._first
        return pts

    def rate(self, num_bytes: int) -> int:
        """Bits a second of pictures that had so many bytes."""
        if self._first is None or self._last is None:
            return 0
        seconds = (self._last - self._first) * self._base + self._step
        return round(8 * num_bytes / seconds)

    def _ticks(self, seconds: Any) -> int:
        """Seconds in the time base."""
        return round(seconds / self._base)


class Video:
    """A video on disk.

    Attributes:
      num_broken: packets that could not be decoded.
      offsets: seconds added to the time stamps after each of their restarts; known
        once all frames were read.
      rate: bits a second of the pictures; 0 until all frames were read.
      note: what is not as a whole recording has it: its end, its time stamps, its size.
      encoding, suffix: of the result.
    """

    def __init__(
        self,
        path: pathlib.Path,
        encoding: Encoding = AS_SOURCE,
        suffix: str = ".mp4",
    ) -> None:
        """Takes a file.

        Args:
          encoding: of the result, for which frames are made ready.
          suffix: of the result.
        """
        self.path, self.encoding, self.suffix = path, encoding, suffix
        self.num_broken, self.note = 0, ""
        self.offsets: list[float] = []
        self.rate = self._num_bytes = 0

    def frames(self) -> Iterator[Frame]:
        """Yields the frames in order; broken packets are left out and counted.

        Raises:
          VideoError: the file is no video, or has frames that are too large.
        """
        with opened(self.path) as container:
            yield from self.frames_of(container)

    def frames_of(self, container: Any) -> Iterator[Frame]:
        """Yields the frames as `frames`, of the opened file.

        Raises:
          VideoError: pictures that FFmpeg cannot convert, or that are too large.
        """
        video, ends = video_of(container), defaultdict[int, float](float)
        stage = Stage(self.encoder_of(container), video.sample_aspect_ratio)
        clock = _Clock(video)
        self.num_broken = self._num_bytes = 0
        for picture in self._staged(container, stage, ends):
            pts = clock.next(picture)
            seconds = float(pts * video.time_base)
            yield Frame(view_of(picture), pts, seconds, picture, stage.ratio)
        self.offsets, self.rate = clock.timeline.offsets, clock.rate(self._num_bytes)
        told = (missing_end(container, ends), clock.timeline.note(), stage.note())
        self.note = functools.reduce(joined, told)

    def encoder_of(self, container: Any) -> Encoder:
        """Returns the encoder of the result; raises VideoError, see `encoder_for`."""
        stream, rate = video_of(container), self.rate or container.bit_rate or 0
        return encoder_for(self.path, stream, self.suffix, self.encoding, rate)

    def _staged(
        self, container: Any, stage: Stage, ends: dict[int, float]
    ) -> Iterator[Any]:
        """The frames made ready; `ends` becomes the last second of each stream."""
        video = video_of(container)
        decode = decoder_of(video)
        try:
            for packet in packets_of(container):
                if packet is not None:
                    index = packet.stream.index  # its own index is 0 if it is empty
                    ends[index] = max(ends[index], end_of(packet))
                    if index != video.index:
                        continue
                    self._num_bytes += packet.size
                for frame in self._decoded(packet, decode):
                    yield from stage(frame)
            yield from stage.end()
        except av.error.FFmpegError as error:
            raise VideoError(
                f"{self.path}: cannot be decoded ({error.strerror})"
            ) from error

    def _decoded(self, packet: Any, decode: Callable[[Any], list[Any]]) -> list[Any]:
        """The frames of a packet, none of a broken one, which is counted."""
        try:
            decoded = None if packet is None else decode(packet)
        except av.error.FFmpegError:
            decoded = None
        if decoded is None:
            self.num_broken += 1
            return []
        for frame in decoded:
            check_size(self.path, frame.width, frame.height)
        return decoded
