"""What is beside the pictures of a video, written while they are."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from typing import Any

import av

from anonygan_jax.anonymise.video.sound import make_sound
from anonygan_jax.anonymise.video.source import Video


class SideStreams:
    """Sound that is ready, written packet by packet beside the pictures.

    Attributes:
      note: what became of it, if it is not all there.
    """

    def __init__(self, sound: Any = None, note: str = "") -> None:
        """Takes the opened file of the sound; None without any."""
        self.note, self._sound = note, sound
        self._container = self._stream = self._next = None

    @classmethod
    @contextlib.contextmanager
    def made(cls, video: Video, keep_audio: bool) -> Iterator["SideStreams"]:
        """Gives the streams of a video; their file is closed when the block ends.

        Raises:
          VideoError: the video cannot be opened.
          OSError: the disk is full.
        """
        if not keep_audio:
            yield cls()
            return
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile())
            note, sound = make_sound(video.path, file, video.offsets), None
            if file.seek(0, io.SEEK_END):
                file.seek(0)
                sound = stack.enter_context(av.open(file))
            yield cls(sound, note)

    def add_to(self, container: Any) -> None:
        """Adds the streams to a new video, before its first packet."""
        if self._sound is None:
            return
        self._container, stream = container, self._sound.streams.audio[0]
        self._stream = container.add_stream_from_template(stream)
        self._packets = (p for p in self._sound.demux(stream) if p.dts is not None)
        self._next = next(self._packets, None)

    def write(self, until: float) -> None:
        """Writes the packets up to a time in seconds."""
        while self._next and self._next.dts * self._next.time_base <= until:
            self._next.stream = self._stream
            self._container.mux(self._next)
            self._next = next(self._packets, None)
