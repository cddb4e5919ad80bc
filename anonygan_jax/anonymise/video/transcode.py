"""Videos read frame by frame and written as H.264 in MP4, through PyAV."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.photo.metadata import kept_tags
from anonygan_jax.io.atomic_write import atomic_write

CRF, PRESET = "18", "veryfast"  # of x264: visually lossless, fast
FRAMES_AHEAD = 8  # decoded or rendered before they are needed
AUDIO_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "alac"))
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
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.num_broken = 0

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Gives PyAV's container, which is closed when the block ends.

        Raises:
          VideoError: the file is no video, or has no frames.
        """
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise VideoError(f"{self.path}: no frames in it")
                container.streams.video[0].thread_type = "AUTO"
                yield container
        except FileNotFoundError as error:
            raise VideoError(f"{self.path}: no such file") from error
        except av.error.FFmpegError as error:
            raise VideoError(
                f"{self.path}: cannot be decoded ({error.strerror})"
            ) from error

    def frames(self) -> Iterator[Frame]:
        """Yields the frames in order; broken packets are left out and counted.

        Raises:
          VideoError: the file is no video.
        """
        with self.opened() as container:
            for item in self.items(container):
                if isinstance(item, Frame):
                    yield item

    def items(self, container: Any, audio: Any = None) -> Iterator[Any]:
        """Yields frames and the packets of an audio stream, in the file's order."""
        video = container.streams.video[0]
        wanted = [video] if audio is None else [video, audio]
        self.num_broken, last = 0, None
        for packet in self._packets(container, wanted):
            if packet.stream is audio:
                if packet.dts is not None:
                    yield packet
                continue
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self.num_broken += 1
                continue
            for frame in decoded:
                pts = frame.pts if frame.pts is not None else (last or 0) + 1
                if last is not None and pts <= last:  # damaged time stamps
                    pts = last + 1
                last = pts
                seconds = float(pts * video.time_base)
                yield Frame(_upright(frame), pts, seconds)

    def _packets(self, container: Any, streams: list[Any]) -> Iterator[Any]:
        """The packets of streams, up to the first that cannot be read."""
        packets = container.demux(streams)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                self.num_broken += 1
                return


def _upright(frame: Any) -> np.ndarray:
    """Pixels of a frame, rotated as its container says."""
    image = frame.to_ndarray(format="rgb24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


class Writer:
    """Writes frames and audio."""

    def __init__(self, container: Any, source: Any, audio: Any) -> None:
        self._container, self._source = container, source
        self._video: Any = None
        self._early: list[Any] = []  # audio that came before the first frame
        self._audio: Any = None
        self._transcoded: Any = None
        if audio is not None:
            if audio.codec_context.name in AUDIO_IN_MP4:
                self._audio = container.add_stream_from_template(audio)
            else:
                rate = audio.codec_context.sample_rate
                self._transcoded = container.add_stream("aac", rate=rate)

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
            for packet in self._early:
                self.audio(packet)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = pts, self._source.time_base
        self._container.mux(self._video.encode(frame))

    def audio(self, packet: Any) -> None:
        """Writes one packet of audio, transcoded only if MP4 cannot contain it."""
        if self._video is None:  # all streams must be known before any is written
            self._early.append(packet)
            return
        if self._audio is not None:
            packet.stream = self._audio
            self._container.mux(packet)
            return
        for frame in packet.decode():
            self._container.mux(self._transcoded.encode(frame))

    def close(self) -> None:
        """Writes what the encoders still hold."""
        for stream in (self._video, self._transcoded):
            if stream is not None:
                self._container.mux(stream.encode(None))

    def _video_stream(self, width: int, height: int) -> Any:
        """A stream of H.264 with the source's colour tags."""
        rate = self._source.average_rate or self._source.guessed_rate or 25
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
) -> Iterator[tuple[Iterator[Any], Writer]]:
    """Gives a video's frames and audio packets, and a writer of a new video.

    The file is renamed to `output` when the block ends; after an error there is none.

    Raises:
      VideoError: the source cannot be read.
      OSError: the file cannot be written.
    """
    with video.opened() as source, atomic_write(output) as partial:
        audio = None
        if keep_audio and source.streams.audio:
            audio = source.streams.audio[0]
        flags = {"movflags": "+faststart+use_metadata_tags"}
        with av.open(str(partial), "w", options=flags) as target:
            target.metadata.update(kept_tags(dict(source.metadata), kept))
            writer = Writer(target, source.streams.video[0], audio)
            yield video.items(source, audio), writer
            writer.close()
