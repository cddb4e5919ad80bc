"""Video files opened by FFmpeg: single files of known formats, and no network."""

import contextlib
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import av
from av.stream import Disposition

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.io.photos import MAX_PIXELS
from anonygan_jax.io.video_formats import OPTIONS, VIDEO_SUFFIXES, demuxer_of, url_of

COVER = Disposition.attached_pic | Disposition.timed_thumbnails
# Of a picture beside a video whose container does not tell that it is a cover.
PICTURE_CODECS = frozenset(("png", "apng", "mjpeg", "bmp", "gif", "webp", "tiff"))
_WITH_OPACITY = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
SLACK = 0.2  # seconds by which a header may tell another end than there is


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[Any]:
    """Gives PyAV's container of a video, which is closed when the block ends.

    Raises:
      VideoError: the file is no video, has no frames, or frames that are too large.
    """
    try:
        # The suffix of a photo misleads FFmpeg; "" is for its own choice.
        is_usual = path.suffix.lower() in VIDEO_SUFFIXES
        demuxer = "" if is_usual else demuxer_of(path).partition(",")[0]
        container: Any = av.open(
            url_of(path),
            format=demuxer or None,
            options=OPTIONS,
            metadata_errors="replace",
        )
    except FileNotFoundError as error:
        raise VideoError(f"{path}: no such file") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no video"
        raise VideoError(f"{path}: cannot be decoded ({reason})") from error
    with container:
        video = video_of(container)
        if video is None:
            raise VideoError(f"{path}: no frames in it")
        if video.codec_context is None:
            raise VideoError(f"{path}: cannot be decoded (unknown codec)")
        check_size(path, video.width, video.height)
        # Threads that decode a frame each lose the last frames before broken data.
        video.thread_type = "SLICE"
        yield container


def video_of(container: Any) -> Any:
    """Returns the first stream that is a video and no cover picture; None without any.

    Where all that is left is pictures, such as those of a camera that takes JPEGs, the
    first of them.
    """
    streams = [s for s in container.streams.video if not is_cover(s)]
    codecs = [s.codec_context.name if s.codec_context else "" for s in streams]
    is_video = [codec not in PICTURE_CODECS for codec in codecs]
    return streams[is_video.index(True) if any(is_video) else 0] if streams else None


def is_cover(stream: Any) -> bool:
    """Returns whether the container tells that a stream is a cover picture."""
    return bool(stream.disposition & COVER)


def decoder_of(stream: Any) -> Callable[[Any], list[Any]]:
    """Returns what decodes a stream's packets.

    The usual decoders of VP8 and VP9 leave out opacity.
    """
    codec = _WITH_OPACITY.get(stream.codec_context.codec.canonical_name)
    if codec is None or stream.metadata.get("alpha_mode") != "1":
        return lambda packet: packet.decode()
    context: Any = av.CodecContext.create(codec, "r")
    return lambda packet: context.decode(packet if packet.size else None)


def check_size(path: pathlib.Path, width: int, height: int) -> None:
    """Accepts frames of up to `MAX_PIXELS`.

    Raises:
      VideoError: they are larger.
    """
    if width * height > MAX_PIXELS:
        raise VideoError(
            f"{path}: {width}x{height} pixels, more than the limit of "
            f"{MAX_PIXELS // 1_000_000} megapixels; reduce it first"
        )


def packets_of(container: Any, *streams: Any) -> Iterator[Any]:
    """Yields the packets of some streams, or of all, then an empty one of each.

    A packet that cannot be read is None; only the empty ones are after it.
    """
    packets = container.demux(*streams)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, LookupError):  # or streams that come and go
            yield None
            break
    for stream in streams or container.streams:  # the decoders hold frames
        packet = av.Packet()
        packet.stream = stream
        yield packet


def end_of(packet: Any) -> float:
    """Returns the second at which a packet ends; 0 if it does not tell."""
    if packet.pts is None or not packet.time_base:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def missing_end(container: Any, ends: Mapping[int, float]) -> str:
    """Returns that a file is cut off, as its header tells; "" if it is not.

    Args:
      ends: the last second of each stream that was read.
    """
    video, durations = video_of(container), []
    end = max(ends.values(), default=0.0)
    if container.duration:
        durations.append(container.duration / av.time_base)
    # Of other formats it may be the duration of another stream.
    if container.format.name.startswith("mov") and video.duration:
        durations.append(float(video.duration * video.time_base))
        end = ends.get(video.index, 0.0)
    if container.format.name == "avi" and video.average_rate:  # only the number is told
        durations = [float(video.frames / video.average_rate)]
    wanted = min(durations, default=0.0)
    is_cut = end < wanted - SLACK
    return f"cut off: ends at {end:.1f} of {wanted:.1f} s" if is_cut else ""
