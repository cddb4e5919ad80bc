"""What of a video can be put beside the pictures of its result."""

import contextlib
import dataclasses
from typing import Any

from anonygan_jax.anonymise.video.chapters import (
    can_be_attached,
    chapters_of,
    takes_chapters,
)
from anonygan_jax.anonymise.video.container import opened
from anonygan_jax.anonymise.video.left_out import left_out, names_of
from anonygan_jax.anonymise.video.output_formats import OutputFormat
from anonygan_jax.anonymise.video.side_track import (
    TRACK_ERRORS,
    SideTrack,
    StreamOfFile,
)
from anonygan_jax.anonymise.video.sound import make_sound
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.stream_tags import (
    kept_disposition,
    kept_stream_tags,
)
from anonygan_jax.anonymise.video.subtitles import make_subtitles

_SOUND, _SUBTITLES = "audio", "subtitle"  # PyAV's names
_ANY_TYPE = "application/octet-stream"


@dataclasses.dataclass
class SideContents:
    """Tracks, chapters and attached files that the container of a result accepts.

    Attributes:
      tracks: in the order of the source.
      chapters: PyAV's.
      attachments: name, type and contents of each file.
      notes: what is not as in the source.
    """

    tracks: list[SideTrack] = dataclasses.field(default_factory=list)
    chapters: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    attachments: list[tuple[str, str, bytes]] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def side_contents(
    video: Video, output: OutputFormat, keep_audio: bool, stack: contextlib.ExitStack
) -> SideContents:
    """Returns what can be put beside the pictures of a result.

    Args:
      stack: closes the files of what is made new.

    Raises:
      VideoError: the video cannot be opened.
      OSError: the disk is full.
    """
    contents = SideContents()
    with opened(video.path) as source:
        names, lacking = names_of(source), dict[int, str]()
        if not keep_audio:
            names = {i: n for i, n in names.items() if source.streams[i].type != _SOUND}
        for index, name in names.items():
            stream = source.streams[index]
            if stream.type in (_SOUND, _SUBTITLES):
                of_file = StreamOfFile(video.path, index, video.offsets)
                reason = _add_track(contents, stream, name, of_file, output, stack)
            else:
                reason = _attach(contents, stream, output)
            if reason is not None:
                lacking[index] = reason
        contents.chapters = chapters_of(source)
    if not takes_chapters(contents.chapters, output):
        contents.chapters = []
        contents.notes.append("chapters cannot be used")
    contents.notes.insert(0, left_out(names, lacking))
    return contents


def _add_track(
    contents: SideContents,
    stream: Any,
    name: str,
    of_file: StreamOfFile,
    output: OutputFormat,
    stack: contextlib.ExitStack,
) -> str | None:
    """Adds sound or subtitles; returns why it cannot be done, else None."""
    try:
        if stream.type == _SOUND:
            track = make_sound(of_file, output, stack)
        else:
            track = make_subtitles(of_file, output)
    except TRACK_ERRORS as error:
        return getattr(error, "strerror", None) or str(error)
    if not track.num_packets:
        return "cannot be decoded" if track.num_broken else None  # or it is empty
    if track.num_broken:
        packets = f"broken packet{'s' * (track.num_broken > 1)}"
        contents.notes.append(f"{track.num_broken} {packets} of {name} left out")
    if track.mixed:
        contents.notes.append(f"{name}: {track.mixed}")
    tags, disposition = kept_stream_tags(stream, output), kept_disposition(stream)
    track = dataclasses.replace(track, tags=tags, disposition=disposition)
    contents.tracks.append(track)
    return None


def _attach(contents: SideContents, stream: Any, output: OutputFormat) -> str | None:
    """Attaches a file; returns "" if it is not kept, or no file, else None."""
    if stream.type != "attachment" or not output.keeps_attachments:
        return ""
    if not can_be_attached(stream):
        return ""
    file = (stream.name or "attachment", stream.mimetype or _ANY_TYPE, stream.data)
    contents.attachments.append(file)
    return None
