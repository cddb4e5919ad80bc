"""What each container takes beside its pictures."""

import dataclasses
import io
from typing import Any

import av


@dataclasses.dataclass(frozen=True)
class OutputFormat:
    """A container, and what is made of streams that it does not take as they are.

    Attributes:
      name: FFmpeg's.
      sound: encoder of sound.
      text: codec of subtitles that are text.
      copied_sound: codecs that are copied; None for all that FFmpeg can write.
      keeps_attachments: whether files can be attached.
    """

    name: str
    sound: str
    text: str
    copied_sound: frozenset[str] | None = None
    keeps_attachments: bool = False


# Players of MP4 know fewer codecs than FFmpeg writes. In the other containers there is
# only what was in such a container before.
_PLAYED_IN_MP4 = frozenset(("aac", "mp3", "ac3", "eac3", "opus", "alac", "flac"))
OUTPUT_FORMATS = {
    ".mp4": OutputFormat("mp4", "aac", "mov_text", copied_sound=_PLAYED_IN_MP4),
    ".mov": OutputFormat("mov", "aac", "mov_text"),
    ".mkv": OutputFormat("matroska", "aac", "subrip", keeps_attachments=True),
    ".webm": OutputFormat("webm", "libopus", "webvtt"),
}


class Nowhere(io.RawIOBase):
    """A file that keeps nothing: what is written to it is only tried."""

    def __init__(self) -> None:
        self._position = self._size = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Returns how many bytes are forgotten."""
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Returns the new position."""
        starts = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = starts[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position


def opened_nowhere(name: str) -> Any:
    """Returns a container of a format, FFmpeg's name, that keeps nothing."""
    return av.open(Nowhere(), "w", format=name)
