"""What a file is, by its content: a photo, an animation, a video, or none of them."""

import contextlib
import dataclasses
import pathlib

from anonygan_jax.io.photo_formats import (
    FORMAT_OF,
    HEAD_BYTES,
    brands_of,
    format_of,
    suffix_that_fits,
)
from anonygan_jax.io.photos import PhotoError, opened
from anonygan_jax.io.video_formats import (
    JPEGS_SUFFIXES,
    VIDEO_SUFFIXES,
    demuxer_of,
    suffix_of,
)

PHOTO, ANIMATION, VIDEO = "photo", "animation", "video"
PICTURES = (PHOTO, ANIMATION)  # what Pillow reads

_ANIMATED_WEBP = 0x02  # a flag of the chunk VP8X


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a file is.

    Attributes:
      name: PHOTO, of which TIFF may have several pages, ANIMATION or VIDEO; None if it
        is none of them.
      suffix: the file's in small letters, or that of what is in it if it is another.
    """

    name: str | None
    suffix: str


def kind_of(path: pathlib.Path, is_named: bool) -> Kind:
    """Returns what a file is.

    The first bytes decide; FFmpeg looks at the file only if its suffix is wrong or
    unknown. A damaged file is what its suffix tells.

    Args:
      is_named: whether a file of an unknown suffix is looked at, too.

    Raises:
      OSError: the file cannot be read.
    """
    suffix = path.suffix.lower()
    told = kind_of_suffix(suffix)
    if told is None and not is_named:
        return Kind(None, suffix)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = format_of(head)
    if found and suffix not in JPEGS_SUFFIXES and (told == PHOTO or _opens(path)):
        return Kind(
            ANIMATION if _moves(path, head, found) else PHOTO,
            suffix_that_fits(suffix, found),
        )
    demuxer = demuxer_of(path) if told != VIDEO and not found and head else ""
    # A damaged JPEG looks like a raw stream of them.
    if demuxer and (told is None or demuxer != "mjpeg"):
        return Kind(VIDEO, suffix_of(demuxer))
    return Kind(told, suffix)


def kind_of_suffix(suffix: str) -> str | None:
    """Returns PHOTO or VIDEO, or None of an unknown suffix in small letters."""
    if suffix in FORMAT_OF:
        return PHOTO
    return VIDEO if suffix in VIDEO_SUFFIXES else None


def _opens(path: pathlib.Path) -> bool:
    """Whether a file is the photo as which it begins; a text may begin with "BM"."""
    try:
        with opened(path):
            return True
    except PhotoError:
        return False


def _moves(path: pathlib.Path, head: bytes, found: str) -> bool:
    """Whether a photo has several frames, no pages."""
    if not _may_move(head, found):
        return False
    with contextlib.suppress(PhotoError), opened(path) as image:
        return getattr(image, "is_animated", False)
    return False


def _may_move(head: bytes, found: str) -> bool:
    """Whether a photo may have several frames, as its first bytes tell."""
    if found == "WEBP":
        flags = int.from_bytes(head[20:21])
        return head[12:16] == b"VP8X" and bool(flags & _ANIMATED_WEBP)
    if found == "AVIF":
        return b"avis" in brands_of(head)
    return found in ("GIF", "PNG")
