"""Formats of videos: their suffixes, FFmpeg's names, and a probe of a file."""

import pathlib
from typing import BinaryIO

# Of folders. A file that is named is taken whatever it is called: ".dat" or ".bin".
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mp4v", ".mov", ".qt", ".mj2", ".f4v", ".3gp", ".3g2", ".3gpp")
    + (".mkv", ".mk3d", ".webm", ".avi", ".divx", ".xvid", ".wmv", ".asf", ".wtv")
    + (".mpg", ".mpeg", ".mpe", ".mpv", ".m1v", ".m2v", ".m2p", ".vob", ".mod", ".tod")
    + (".mts", ".m2ts", ".m2t", ".ts", ".trp", ".tp", ".flv", ".ogv", ".ogm", ".mxf")
    + (".gxf", ".dv", ".dif", ".nut", ".rm", ".rmvb", ".y4m", ".ivf", ".av1", ".obu")
    + (".h264", ".264", ".avc", ".h265", ".265", ".hevc", ".vc1", ".mjpeg", ".mjpg")
    + (".lrv", ".insv", ".360", ".dav")  # of cameras: previews, all round, CCTV
)
# Files of JPEGs one after another begin as a photo does.
JPEGS_SUFFIXES = frozenset((".mjpeg", ".mjpg"))
# FFmpeg's names. Not among them: playlists and lists (hls, dash, concat), which open
# other files and addresses, devices, and single pictures, which are photos.
FORMATS = (
    *("mov", "matroska", "webm", "avi", "mpeg", "mpegts", "mpegvideo", "m4v", "h264"),
    *("hevc", "asf", "flv", "live_flv", "ogg", "mxf", "mxf_opatom", "dv", "gxf", "nut"),
    *("ivf", "rm", "vc1", "wtv", "yuv4mpegpipe", "mjpeg", "av1", "obu", "swf", "dhav"),
)
OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}


def url_of(path: pathlib.Path) -> str:
    """Returns a file's name for FFmpeg, for which "a:b.mp4" alone is a protocol."""
    return f"file:{path}"


def demuxer_of(path: pathlib.Path) -> str:
    """Returns FFmpeg's name of a video's format by its content; "" if it is no video.

    Sound with a cover picture is no video.

    Raises:
      OSError: the file cannot be read.
    """
    import av  # takes 0.1 s, and folders of photos do not need it
    from av.stream import Disposition

    with path.open("rb") as file:
        try:
            with av.open(
                _Nameless(file), options=OPTIONS, metadata_errors="replace"
            ) as container:
                has_frames = any(
                    stream.codec_context is not None
                    and stream.codec_context.width
                    and not stream.disposition & Disposition.attached_pic
                    for stream in container.streams.video
                )
                return container.format.name if has_frames else ""
        except (av.error.FFmpegError, ValueError):
            return ""


def suffix_of(demuxer: str) -> str:
    """Returns the suffix of a format with FFmpeg's name, for its result."""
    return ".mkv" if demuxer.startswith("matroska") else ".mp4"


class _Nameless:
    """A file whose name FFmpeg does not see: by ".jpg" it takes a VOB for pictures."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell
