"""Videos written frame by frame, through PyAV."""

import contextlib
import fractions
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import av
from av.codec.context import Flags
from av.video.frame import PictureType

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.anonymise.photo.metadata import kept_tags
from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.container import opened, url_of, video_of
from anonygan_jax.anonymise.video.encoders import Encoder
from anonygan_jax.anonymise.video.output_formats import OUTPUT_FORMATS
from anonygan_jax.anonymise.video.pictures import COLOUR_TAGS, pasted
from anonygan_jax.anonymise.video.side_streams import SideStreams
from anonygan_jax.anonymise.video.source import DEFAULT_RATE, Frame, Video
from anonygan_jax.io.atomic_write import atomic_write

_OF_MOV = ("mp4", "mov")
_OPTIONS = {
    **{name: {"movflags": "+faststart+use_metadata_tags"} for name in _OF_MOV},
    # Else a first track becomes the default that the source has not.
    "matroska": {"default_mode": "passthrough"},
}


class Writer:
    """Writes frames, and beside them the sound.

    Attributes:
      note: what is not as in the source.
    """

    def __init__(
        self,
        container: Any,
        source: Any,
        encoder: Encoder,
        side: SideStreams,
        note: str = "",
    ) -> None:
        """Takes what is written and read, how, and what is written beside the frames.

        Args:
          source: PyAV's stream of the pictures.
        """
        self._container, self._source, self._side = container, source, side
        self._encoder, self.note = encoder, note
        self._video: Any = None

    def frame(self, frame: Frame) -> None:
        """Writes one frame, as rendered if it is."""
        picture, base = frame.picture, self._source.time_base
        if frame.rendered is not None:
            picture = pasted(picture, frame.image, frame.rendered)
        if self._video is None:
            self._video = self._video_stream(picture, frame.ratio)
            self._side.add_to(self._container)
        picture.pts, picture.time_base = frame.pts, base
        picture.pict_type = PictureType.NONE  # else the source's kinds of frames stay
        packets = self._video.encode(picture)
        self._side.write(until=float(frame.pts * base))
        self._container.mux(packets)

    def close(self) -> None:
        """Writes what the encoder still holds, and the end of the sound."""
        if self._video is not None:
            self._container.mux(self._video.encode(None))
            self._side.write(until=math.inf)

    def _video_stream(self, picture: Any, ratio: fractions.Fraction) -> Any:
        """A stream with the size and the colour tags of its first picture."""
        rate = self._source.average_rate or self._source.guessed_rate or DEFAULT_RATE
        stream = self._container.add_stream(self._encoder.name, rate=rate)
        stream.width, stream.height = picture.width, picture.height
        stream.pix_fmt = self._encoder.stream_format
        stream.options = self._encoder.options_for(picture)
        context = stream.codec_context
        stream.time_base = context.time_base = self._source.time_base
        context.sample_aspect_ratio = ratio
        for tag in COLOUR_TAGS:
            setattr(context, tag, getattr(picture, tag))
        is_interlaced = self._encoder.is_interlaced or picture.interlaced_frame
        if is_interlaced and self._encoder.keeps_fields:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if self._encoder.codec == "hevc" and self._container.format.name in _OF_MOV:
            context.codec_tag = "hvc1"  # Apple's players know no other
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
    kind = OUTPUT_FORMATS[video.suffix].name
    flags = _OPTIONS.get(kind, {})
    with contextlib.ExitStack() as stack:
        partial = stack.enter_context(atomic_write(output))
        made = SideStreams.made(video, video.suffix, keep_audio)
        side = stack.enter_context(made)
        source = stack.enter_context(opened(video.path))
        encoder = video.encoder_of(source)
        try:
            with av.open(url_of(partial), "w", kind, options=flags) as target:
                target.metadata.update(kept_tags(dict(source.metadata), kept))
                note = joined(encoder.note, side.note)
                writer = Writer(target, video_of(source), encoder, side, note)
                yield video.frames_of(source), writer
                writer.close()
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise VideoError(
                f"{video.path}: cannot be encoded ({error.strerror})"
            ) from error
