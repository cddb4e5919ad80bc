"""Videos read frame by frame and written as H.264 in MP4, through PyAV."""

import contextlib
import dataclasses
import io
import math
import pathlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.photo.metadata import kept_tags
from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.container import (
    check_size,
    end_of,
    left_out,
    missing_end,
    opened,
    packets_of,
    url_of,
    video_of,
)
from anonygan_jax.anonymise.video.sound import make_sound
from anonygan_jax.anonymise.video.timeline import Timeline
from anonygan_jax.io.atomic_write import atomic_write

CRF, PRESET = "18", "veryfast"  # of x264: visually lossless, fast
DEFAULT_RATE = 25  # frames a second, where none is told
FRAMES_AHEAD = 8  # decoded or rendered before they are needed
_COLOUR_TAGS = ("color_range", "color_primaries", "color_trc", "colorspace")


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


class Writer:
    """Writes frames, and beside them sound that is ready.

    Attributes:
      note: what became of the sound and further streams, if they are not all there.
    """

    def __init__(self, container: Any, source: Any, sound: Any, note: str) -> None:
        self._container, self._source, self.note = container, source, note
        self._video: Any = None
        self._sound = self._next = None
        if sound is not None:
            stream = sound.streams.audio[0]
            self._sound = container.add_stream_from_template(stream)
            self._packets = (p for p in sound.demux(stream) if p.dts is not None)
            self._next = next(self._packets, None)

    def frame(self, image: np.ndarray, pts: int) -> None:
        """Writes one frame, uint8 [H, W, 3] RGB.

        Args:
          pts: presentation time in the time base of the source.
        """
        height, width = (n + n % 2 for n in image.shape[:2])
        if (height, width) != image.shape[:2]:  # H.264's colours need even sides
            extra = (height - image.shape[0], width - image.shape[1])
            image = np.pad(image, ((0, extra[0]), (0, extra[1]), (0, 0)), "edge")
        if self._video is None:
            self._video = self._video_stream(width, height)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = pts, self._source.time_base
        packets = self._video.encode(frame)
        self._write_sound(until=float(pts * self._source.time_base))
        self._container.mux(packets)

    def close(self) -> None:
        """Writes what the encoder still holds, and the end of the sound."""
        if self._video is not None:
            self._container.mux(self._video.encode(None))
            self._write_sound(until=math.inf)

    def _write_sound(self, until: float) -> None:
        """Writes the packets of sound up to a time in seconds."""
        while self._next and self._next.dts * self._next.time_base <= until:
            self._next.stream = self._sound
            self._container.mux(self._next)
            self._next = next(self._packets, None)

    def _video_stream(self, width: int, height: int) -> Any:
        """A stream of H.264 with the source's colour tags."""
        rate = self._source.average_rate or self._source.guessed_rate or DEFAULT_RATE
        stream = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": CRF, "preset": PRESET}
        stream.time_base = stream.codec_context.time_base = self._source.time_base
        for tag in _COLOUR_TAGS:
            setattr(stream.codec_context, tag, getattr(self._source.codec_context, tag))
        return stream


@contextlib.contextmanager
def transcode(
    video: Video, output: pathlib.Path, keep_audio: bool, kept: tuple[str, ...]
) -> Iterator[tuple[Iterator[Frame], Writer]]:
    """Gives a video's frames, and a writer of a new video with the same sound.

    The file is renamed to `output` when the block ends; after an error there is none.
    Threads that take frames must have ended then, see `prefetch_in_thread`.

    Raises:
      VideoError: the source cannot be read, or its frames cannot be encoded.
      OSError: the file cannot be written.
    """
    flags = {"movflags": "+faststart+use_metadata_tags"}
    with contextlib.ExitStack() as stack:
        partial = stack.enter_context(atomic_write(output))
        sound, note = None, ""
        if keep_audio:
            file = stack.enter_context(tempfile.TemporaryFile())
            note = make_sound(video.path, file, video.offsets)
            if file.seek(0, io.SEEK_END):
                file.seek(0)
                sound = stack.enter_context(av.open(file))
        source = stack.enter_context(opened(video.path))
        note = joined(note, left_out(source, keep_audio))
        try:
            with av.open(url_of(partial), "w", options=flags) as target:
                target.metadata.update(kept_tags(dict(source.metadata), kept))
                writer = Writer(target, video_of(source), sound, note)
                yield video.frames_of(source), writer
                writer.close()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise VideoError(
                f"{video.path}: cannot be encoded ({error.strerror})"
            ) from error
