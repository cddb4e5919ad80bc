"""Video files opened by FFmpeg: single files of known formats, and no network."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import av

from anonygan_jax.anonymise.errors import VideoError
from anonygan_jax.io.photos import MAX_PIXELS

# FFmpeg's names. Not among them: playlists and lists (hls, dash, concat), which open
# other files and addresses, devices, and single pictures, which are photos.
FORMATS = (
    *("mov", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "m4v", "h264"),
    *("hevc", "asf", "flv", "live_flv", "ogg", "mxf", "mxf_opatom", "dv", "gxf", "nut"),
    *("ivf", "rm", "vc1", "wtv", "yuv4mpegpipe", "mjpeg", "av1", "obu", "swf", "dhav"),
)


def url_of(path: pathlib.Path) -> str:
    """Returns a file's name for FFmpeg, for which "a:b.mp4" alone is a protocol."""
    return f"file:{path}"


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[Any]:
    """Gives PyAV's container of a video, which is closed when the block ends.

    Raises:
      VideoError: the file is no video, has no frames, or frames that are too large.
    """
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:
        container: Any = av.open(url_of(path), options=options)
    except FileNotFoundError as error:
        raise VideoError(f"{path}: no such file") from error
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no video"
        raise VideoError(f"{path}: cannot be decoded ({reason})") from error
    with container:
        if not container.streams.video:
            raise VideoError(f"{path}: no frames in it")
        video = container.streams.video[0]
        if video.codec_context is None:
            raise VideoError(f"{path}: cannot be decoded (unknown codec)")
        check_size(path, video.width, video.height)
        video.thread_type = "AUTO"
        yield container


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


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Yields the packets of a stream, up to the first that cannot be read: None."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, LookupError):  # or streams that come and go
            yield None
            return
        yield packet
