"""Chapters of a video, and files attached to it."""

from typing import Any

import av

from anonygan_jax.anonymise.video.output_formats import OutputFormat, opened_nowhere

_FONTS = (b"\0\1\0\0", b"OTTO", b"true", b"ttcf", b"wOFF", b"wOF2")  # their beginnings


def chapters_of(source: Any) -> list[dict[str, Any]]:
    """Returns PyAV's chapters of a video, with nothing of them but times and titles."""
    chapters = [c for c in source.chapters() if c["time_base"] and c["start"] >= 0]
    starts = [c["start"] * c["time_base"] for c in chapters]
    made = []
    for number, chapter in enumerate(chapters, 1):
        unit, end = chapter["time_base"], chapter["end"]
        if end < chapter["start"]:  # not told
            later = [start for start in starts if start > starts[number - 1]]
            end = round(min(later) / unit) if later else chapter["start"]
        title = chapter["metadata"].get("title")
        tags = {"metadata": {"title": title} if title else {}}
        made.append(chapter | {"id": number, "end": end} | tags)
    return made


def takes_chapters(chapters: list[dict[str, Any]], output: OutputFormat) -> bool:
    """Returns whether a container takes chapters."""
    try:
        with opened_nowhere(output.name) as target:
            target.add_stream(output.sound, rate=48_000)
            target.set_chapters(chapters)
            target.start_encoding()
    except (av.error.FFmpegError, ValueError, OverflowError):
        return False
    return True


def can_be_attached(stream: Any) -> bool:
    """Returns whether an attached file shows nobody: a font, or a text."""
    data = stream.data
    if data.startswith(_FONTS):
        return True
    try:
        return stream.mimetype == "text/plain" and "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
