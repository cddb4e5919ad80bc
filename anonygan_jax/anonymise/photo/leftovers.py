"""What of a photo is in no result: other pictures, depth maps, a video."""

import pathlib
import re

from PIL import Image

from anonygan_jax.anonymise.results import joined

MOTION = "the video in it is left out"
_VIDEO = re.compile(rb"ftyp(mp4|isom|qt|avc1|3gp|MSNV)")  # begins an MP4 or MOV
_REDUCED_OR_MASK = 1 | 4  # bits of TIFF's NewSubfileType


def left_out(photo: Image.Image, path: pathlib.Path) -> str:
    """Returns what a result of an opened photo lacks, in words; "" if nothing."""
    notes = []
    others = getattr(photo, "n_frames", 1) - 1
    if photo.format in ("MPO", "HEIF") and others:
        notes.append(f"the {_count(others, 'other picture')} in it {_are(others)}")
    if photo.format in ("MPO", "JPEG") and _has_video(path):
        notes.append(MOTION)
    for key, name in (("depth_images", "depth map"), ("aux", "further picture")):
        if number := len(photo.info.get(key, ())):
            notes.append(f"the {_count(number, name)} of it {_are(number)}")
    if photo.info.get("bit_depth", 8) > 8:
        notes.append(f"its {photo.info['bit_depth']} bits become 8")
    return joined(*notes)


def is_reduced(page: Image.Image) -> bool:
    """Returns whether a TIFF's page is a thumbnail or mask of another one."""
    return bool(page.tag_v2.get(254, 0) & _REDUCED_OR_MASK)  # type: ignore[attr-defined]


def without_reduced(number: int) -> str:
    """Returns what is said of so many thumbnails among a TIFF's pages."""
    return f"the {_count(number, 'thumbnail')} in it {_are(number)}" if number else ""


def _has_video(path: pathlib.Path) -> bool:
    """Whether a video follows a JPEG's picture."""
    content = path.read_bytes()
    return _VIDEO.search(content) is not None and b"moov" in content


def _count(number: int, name: str) -> str:
    """A number and a name."""
    return f"{number} {name}{'s' * (number != 1)}"


def _are(number: int) -> str:
    """The end of a sentence."""
    return "is left out" if number == 1 else "are left out"
