"""Formats of photos: their suffixes, their signs in a file, and plug-ins."""

import functools
import pathlib
from typing import BinaryIO

from PIL import Image

from anonygan_jax.io.extras import require

# Pillow's name by suffix, of formats that results may have.
WRITTEN = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi"), "JPEG"),
    **dict.fromkeys((".pjpeg", ".pjp"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".dib": "DIB", ".avif": "AVIF"},
}
PHOTO_SUFFIXES = frozenset(
    (*WRITTEN, ".mpo", ".gif", ".apng", ".ppm", ".pgm", ".pbm", ".pnm")
)
# Pillow's other formats have old decoders, or start other programs: EPS Ghostscript.
# "JPEG" opens MPO, too. A file's content counts, not its name.
READ = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM", "AVIF")
HEIF = "HEIF"

_HEAD_BYTES = 64
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))


def formats_of(path: str | pathlib.Path, content: BinaryIO | None) -> tuple[str, ...]:
    """Returns the formats that a file may have, in Pillow's words.

    Args:
      content: read in place of the file, from its beginning.

    Raises:
      MissingPackage: it is a HEIC file, and pillow_heif is not installed.
      OSError: the file cannot be read.
    """
    if content is None:
        with open(path, "rb") as file:
            head = file.read(_HEAD_BYTES)
    else:
        head = content.read(_HEAD_BYTES)
        content.seek(0)
    if not is_heif(head):
        return READ
    _register_heif()
    return (HEIF,)


def is_heif(head: bytes) -> bool:
    """Returns whether a file of HEVC pictures begins so."""
    if head[4:8] != b"ftyp":
        return False
    brands = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
    return any(brands[n : n + 4] in _HEIF_BRANDS for n in range(0, len(brands), 4))


@functools.cache
def _register_heif() -> None:
    """Makes Pillow read and write HEIC."""
    require("HEIC", "heic", "pillow_heif")
    import pillow_heif

    # Thumbnails, depth maps and other pictures show the face, too.
    pillow_heif.register_heif_opener(thumbnails=False)


def extension_of(image: Image.Image) -> str:
    """Returns the usual suffix of an opened photo's format; ".png" if none is."""
    found = "JPEG" if image.format == "MPO" else image.format
    return next((s for s, name in WRITTEN.items() if name == found), ".png")


def is_lossless_webp(path: pathlib.Path) -> bool:
    """Returns whether a WebP file's picture has no loss."""
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            if head[:4] in (b"VP8L", b"VP8 "):
                return head[:4] == b"VP8L"
            size = int.from_bytes(head[4:], "little")
            file.seek(size + size % 2, 1)
    return False
