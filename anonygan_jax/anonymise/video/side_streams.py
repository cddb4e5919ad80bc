"""What is beside the pictures of a video, written while they are."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from anonygan_jax.anonymise.results import joined
from anonygan_jax.anonymise.video.output_formats import OUTPUT_FORMATS
from anonygan_jax.anonymise.video.side_contents import SideContents, side_contents
from anonygan_jax.anonymise.video.side_track import SideTrack
from anonygan_jax.anonymise.video.source import Video


class SideStreams:
    """Sound, subtitles, chapters and attached files that are ready to be written.

    Attributes:
      note: what became of them, and the other streams, if not all is there.
    """

    def __init__(self, contents: SideContents, writers: list["_TrackWriter"]) -> None:
        """Takes what is to be written, and the tracks with their packets."""
        self.note = joined(*contents.notes)
        self._contents, self._writers = contents, writers

    @classmethod
    @contextlib.contextmanager
    def made(
        cls, video: Video, suffix: str, keep_audio: bool
    ) -> Iterator["SideStreams"]:
        """Gives what is beside the pictures; its files are closed when the block ends.

        The container of the result is known to accept all. What it does not accept or
        what is broken is left out, and `note` says so.

        Args:
          suffix: of the result, a key of `OUTPUT_FORMATS`.

        Raises:
          VideoError: the video cannot be opened.
          OSError: the disk is full.
        """
        with contextlib.ExitStack() as stack:
            output = OUTPUT_FORMATS[suffix]
            contents = side_contents(video, output, keep_audio, stack)
            writers = [
                _TrackWriter(track, *stack.enter_context(track.opened()))
                for track in contents.tracks
            ]
            yield cls(contents, writers)

    def add_to(self, container: Any) -> None:
        """Adds all to a new video, after the pictures, before the first packet."""
        for writer in self._writers:
            writer.add_to(container)
        for name, kind, data in self._contents.attachments:
            container.add_attachment(name, kind, data)
        container.set_chapters(self._contents.chapters)

    def write(self, until: float) -> None:
        """Writes the packets of the tracks up to a time in seconds."""
        for writer in self._writers:
            writer.write(until)


@dataclasses.dataclass
class _TrackWriter:
    """A track that is written packet by packet.

    Attributes:
      track: what is written.
      template: of its stream.
      packets: that are left after the next one.
    """

    track: SideTrack
    template: Any
    packets: Iterator[Any]

    def add_to(self, container: Any) -> None:
        """Adds a stream."""
        self._container = container
        self._stream = container.add_stream_from_template(self.template)
        self._stream.metadata.update(self.track.tags)
        self._stream.disposition = self.track.disposition
        self._packets = filter(None, self.packets)  # broken ones are None
        self._next = next(self._packets, None)

    def write(self, until: float) -> None:
        """Writes the packets up to a time in seconds."""
        while self._next and self._next.dts * self._next.time_base <= until:
            self._next.stream = self._stream
            self._container.mux(self._next)
            self._next = next(self._packets, None)
