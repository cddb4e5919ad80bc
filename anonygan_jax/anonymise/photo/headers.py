"""Metadata of JPEG and PNG files, in front of pixels that others encode.

Pillow writes the metadata, of a file of few pixels.
"""

import io
import re
from typing import Any

from PIL import Image, PngImagePlugin

_SOI, _EOI, _SOS, _COMMENT, _STUFFED = 0xD8, 0xD9, 0xDA, 0xFE, 0x00
_RESTARTS = range(0xD0, 0xD8)
_APPLICATION = range(0xE0, 0xF0)
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # the next one after a scan
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ANCILLARY = (b"iCCP", b"eXIf", b"pHYs", b"iTXt")

XMP_OF_PNG = "XML:com.adobe.xmp"


class JpegError(ValueError):
    """A JPEG file that does not follow the rules."""


def jpeg_picture(content: bytes) -> bytes:
    """Returns the segments of a JPEG's first picture without metadata or SOI.

    Comments, application segments and what follows the picture are left out.

    Raises:
      JpegError: the file breaks off or has no segments where they should be.
    """
    parts: list[bytes] = []
    place = 2
    while place + 4 <= len(content):
        marker = _MARKER.match(content, place)
        if marker is None:
            raise JpegError("no marker")
        kind, start, place = marker[1][0], marker.start(), marker.end()
        if kind == _EOI:
            return b"".join([*parts, b"\xff\xd9"])
        place += max(2, int.from_bytes(content[place : place + 2], "big"))
        if kind == _SOS:
            after = _MARKER.search(content, place)
            place = after.start() if after else len(content)
        if kind not in _APPLICATION and kind != _COMMENT:
            parts.append(content[start:place])
    return b"".join([*parts, b"\xff\xd9"])


def jpeg_head(mode: str, settings: dict[str, Any]) -> bytes:
    """Returns SOI and the application segments that Pillow writes for settings.

    Args:
      mode: "L" or "RGB".
    """
    small = io.BytesIO()
    Image.new(mode, (8, 8)).save(small, "JPEG", **settings)
    content, place = small.getvalue(), 2
    while content[place + 1] in _APPLICATION:
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return content[:place]


def with_png_chunks(content: bytes, settings: dict[str, Any]) -> bytes:
    """Returns a PNG with the metadata that Pillow writes for settings."""
    small = io.BytesIO()
    Image.new("L", (1, 1)).save(small, "PNG", **settings)
    chunks = [c for name, c in _chunks(small.getvalue()) if name in _ANCILLARY]
    (_, first), *others = _chunks(content)
    return b"".join([_PNG_SIGNATURE, first, *chunks, *(c for _, c in others)])


def png_xmp(packet: bytes) -> PngImagePlugin.PngInfo:
    """Returns Pillow's `pnginfo` with an XMP packet."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(XMP_OF_PNG, packet.decode())
    return info


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Names and bytes of a PNG's chunks."""
    found, place = [], len(_PNG_SIGNATURE)
    while place < len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4], "big")
        found.append((content[place + 4 : place + 8], content[place:end]))
        place = end
    return found
