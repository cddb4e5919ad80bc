"""Formats of photos: their suffixes, their signs in a file, and plug-ins."""

import functools
import pathlib
from typing import BinaryIO

from PIL import AvifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin

from anonygan_jax.io.extras import require

# Pillow's name by suffix, of formats that results may have.
WRITTEN = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi"), "JPEG"),
    **dict.fromkeys((".pjpeg", ".pjp"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".dib": "DIB", ".avif": "AVIF"},
}
# Of formats that are read.
FORMAT_OF = {
    **WRITTEN,
    **{".mpo": "JPEG", ".gif": "GIF", ".apng": "PNG"},
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PPM"),
}
PHOTO_SUFFIXES = frozenset(FORMAT_OF)
# Pillow's other formats have old decoders, or start other programs: EPS Ghostscript.
# "JPEG" opens MPO, too. A file's content counts, not its name.
READ = ("JPEG", "PNG", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM", "AVIF")
# `Image.preinit` imports the others.
_PLUG_INS = (AvifImagePlugin, TiffImagePlugin, WebPImagePlugin)
HEIF = "HEIF"
_ONE_FORMAT = {"DIB": "BMP", "MPO": "JPEG"}  # names of a part or a kind of it

HEAD_BYTES = 64  # of a file; they tell the format
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
            head = file.read(HEAD_BYTES)
    else:
        head = content.read(HEAD_BYTES)
        content.seek(0)
    if not is_heif(head):
        return READ
    _register_heif()
    return (HEIF,)


def format_of(head: bytes) -> str | None:
    """Returns Pillow's name of the photo format of a file; None if it is no photo.

    Args:
      head: the file's first `HEAD_BYTES`.
    """
    if is_heif(head):
        return HEIF
    Image.preinit()
    start = head[:16].ljust(16, b"\0")
    for name in READ:
        accept = Image.OPEN[name][1]
        if accept is not None and accept(start):
            return name
    return None


def is_heif(head: bytes) -> bool:
    """Returns whether a file of HEVC pictures begins so."""
    return not _HEIF_BRANDS.isdisjoint(brands_of(head))


def brands_of(head: bytes) -> list[bytes]:
    """Returns the brands of a file of boxes, as MP4, HEIC and AVIF are."""
    if head[4:8] != b"ftyp":
        return []
    brands = head[8 : min(int.from_bytes(head[:4], "big"), len(head))]
    return [brands[n : n + 4] for n in range(0, len(brands), 4)]


@functools.cache
def _register_heif() -> None:
    """Makes Pillow read and write HEIC."""
    require("HEIC", "heic", "pillow_heif")
    import pillow_heif

    # Thumbnails, depth maps and other pictures show the face, too.
    pillow_heif.register_heif_opener(thumbnails=False)


def suffix_that_fits(suffix: str, found: str) -> str:
    """Returns a suffix if it is one of a format, else the format's usual one.

    Args:
      suffix: in small letters.
      found: Pillow's name of the format.
    """
    wanted = _ONE_FORMAT.get(found, found)
    own = FORMAT_OF.get(suffix, "")
    if _ONE_FORMAT.get(own, own) == wanted:
        return suffix
    return next(s for s, name in FORMAT_OF.items() if name == wanted)


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
