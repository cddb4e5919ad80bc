"""Videos read frame by frame, through PyAV."""

import dataclasses
import pathlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.container import (
    check_size,
    end_of,
    missing_end,
    opened,
    packets_of,
    video_of,
)
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
    """

    image: np.ndarray
    pts: int
    seconds: float


class Video:
    """A video on disk.

    Attributes:
      num_broken: packets that could not be decoded.
      offsets: seconds added to the time stamps after each of their restarts.
      note: what is not as a whole recording has it: its end, its time stamps.
    """

    def __init__(self, path: pathlib.Path, offsets: Sequence[float] = ()) -> None:
        """Takes a file, and its offsets if it was read before."""
        self.path = path
        self.num_broken, self.note = 0, ""
        self.offsets = list(offsets)

    def frames(self) -> Iterator[Frame]:
        """Yields the frames in order; broken packets are left out and counted.

        Raises:
          VideoError: the file is no video, or has frames that are too large.
        """
        with opened(self.path) as container:
            yield from self.frames_of(container)

    def frames_of(self, container: Any) -> Iterator[Frame]:
        """Yields the frames as `frames`, of the opened file."""
        video, ends = video_of(container), defaultdict[int, float](float)
        step = 1 / (video.average_rate or video.guessed_rate or DEFAULT_RATE)
        self.num_broken, last, timeline = 0, None, Timeline()
        for packet in packets_of(container):
            if packet is not None:
                index = packet.stream.index  # its own index is 0 if it is empty
                ends[index] = max(ends[index], end_of(packet))
                if index != video.index:
                    continue
            for frame in self._decoded(packet):
                pts = frame.pts
                if pts is None:
                    pts = 0 if last is None else last + round(step / video.time_base)
                offset = timeline.offset(float(pts * video.time_base), float(step))
                pts += round(offset / video.time_base)
                if last is not None and pts <= last:  # damaged time stamps
                    pts = last + 1
                last = pts
                yield Frame(_upright(frame), pts, float(pts * video.time_base))
        self.offsets = timeline.offsets
        self.note = joined(missing_end(container, ends), timeline.note())

    def _decoded(self, packet: Any) -> list[Any]:
        """The frames of a packet, none of a broken one, which is counted."""
        try:
            decoded = None if packet is None else packet.decode()
        except av.error.FFmpegError:
            decoded = None
        if decoded is None:
            self.num_broken += 1
            return []
        for frame in decoded:
            check_size(self.path, frame.width, frame.height)
        return decoded


def _upright(frame: Any) -> np.ndarray:
    """Pixels of a frame, rotated as its container says."""
    image = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
