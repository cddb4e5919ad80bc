"""What the streams of a video are called, and which of them its result lacks."""

import re
from collections.abc import Mapping
from typing import Any

from av.stream import Discard

from anonygan_jax.anonymise.video.container import is_cover, video_of

# How cameras call telemetry, by which a place is known.
_TELEMETRY = re.compile(r"gopro met|gps|camm|gpmd|location|telemetry|dji meta", re.I)
_KINDS = {
    **{"video": "video", "audio": "sound", "subtitle": "subtitles"},
    **{"data": "data", "attachment": "attachment"},
}


def names_of(source: Any) -> dict[int, str]:
    """Returns the names of all streams but the pictures, by index.

    They are numbered as others of their kind are. A track that has only titles of
    chapters has no name.
    """
    video, numbers, names = video_of(source), dict[str, int](), dict[int, str]()
    for stream in source.streams:
        kind = _KINDS.get(stream.type, "unknown stream")
        numbers[kind] = numbers.get(kind, 0) + 1
        if stream.index == video.index or _has_chapters(source, stream):
            continue
        names[stream.index] = _name(stream, f"{kind} {numbers[kind]}")
    return names


def _has_chapters(source: Any, stream: Any) -> bool:
    """Whether the titles of chapters are in a stream, which FFmpeg does not read."""
    is_unread = stream.discard == Discard.all
    return stream.type == "data" and is_unread and bool(source.chapters())


def _name(stream: Any, numbered: str) -> str:
    """A stream's name by what is in it, else its number; with its language."""
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if stream.type == "video" and is_cover(stream):
        numbered = "cover picture"
    elif stream.type == "attachment" and stream.name:
        numbered = f"attachment {stream.name}"
    elif stream.type == "data":
        if _TELEMETRY.search(tags.get("handler_name", "")):
            numbered = "GPS data"
        elif "timecode" in tags:
            numbered = "timecode"
    language = tags.get("language", "und")
    is_spoken = stream.type in ("audio", "subtitle", "video")
    return f"{numbered} ({language})" if is_spoken and language != "und" else numbered


def left_out(names: Mapping[int, str], lacking: Mapping[int, str]) -> str:
    """Returns the names of the streams that a result lacks; "" of none.

    Args:
      names: see `names_of`.
      lacking: why, or "", by index.
    """
    told = []
    for index, reason in lacking.items():
        name = names[index]
        if reason:  # beside the language
            name = (
                f"{name[:-1]}, {reason})" if name[-1] == ")" else f"{name} ({reason})"
            )
        told.append(name)
    return f"left out: {', '.join(told)}" if told else ""
