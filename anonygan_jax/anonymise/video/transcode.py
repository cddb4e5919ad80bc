"""Videos written as H.264 in MP4, through PyAV."""

import contextlib
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.photo.metadata import kept_tags
from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.container import (
    left_out,
    opened,
    url_of,
    video_of,
)
from anonygan_jax.anonymise.video.side_streams import SideStreams
from anonygan_jax.anonymise.video.source import DEFAULT_RATE, Frame, Video
from anonygan_jax.io.atomic_write import atomic_write

CRF, PRESET = "18", "veryfast"  # of x264: visually lossless, fast
_COLOUR_TAGS = ("color_range", "color_primaries", "color_trc", "colorspace")


class Writer:
    """Writes frames, and beside them the sound.

    Attributes:
      note: what is not as in the source.
    """

    def __init__(
        self, container: Any, source: Any, side: SideStreams, note: str = ""
    ) -> None:
        """Takes what is written and read, and what is written beside the frames."""
        self._container, self._source, self._side = container, source, side
        self.note = note
        self._video: Any = None
        side.add_to(container)

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
        self._side.write(until=float(pts * self._source.time_base))
        self._container.mux(packets)

    def close(self) -> None:
        """Writes what the encoder still holds, and the end of the sound."""
        if self._video is not None:
            self._container.mux(self._video.encode(None))
            self._side.write(until=math.inf)

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
        side = stack.enter_context(SideStreams.made(video, keep_audio))
        source = stack.enter_context(opened(video.path))
        note = joined(side.note, left_out(source, keep_audio))
        try:
            with av.open(url_of(partial), "w", options=flags) as target:
                target.metadata.update(kept_tags(dict(source.metadata), kept))
                writer = Writer(target, video_of(source), side, note)
                yield video.frames_of(source), writer
                writer.close()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise VideoError(
                f"{video.path}: cannot be encoded ({error.strerror})"
            ) from error
