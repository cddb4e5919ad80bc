"""JPEG whose blocks keep their DCT coefficients where pixels did not change."""

import pathlib
import tempfile
import threading
from typing import Any

import jpeglib
import numpy as np

from anonygan_jax.anonymise.photo.headers import JpegError, jpeg_head, jpeg_picture

_LIBRARY = "turbo210"  # decodes arithmetic coding, too
_LOCK = threading.Lock()  # jpeglib keeps markers in global variables
_BLOCK = 8
_COMPONENTS = ("Y", "Cb", "Cr")
_SPACES = {"L": jpeglib.JCS_GRAYSCALE, "RGB": jpeglib.JCS_YCbCr}


def with_changes(
    content: bytes, pixels: np.ndarray, changed: np.ndarray, settings: dict[str, Any]
) -> bytes | None:
    """Returns a JPEG with new pixels, and the old coefficients elsewhere.

    Tables and sampling are the source's; progressive and arithmetic coding become
    sequential Huffman coding, if there is a change.

    Args:
      content: of the source.
      pixels: uint8 [H, W] or [H, W, 3] of the result.
      changed: bool [H, W].
      settings: of the metadata, for Pillow's `save`.

    Returns:
      None if the coefficients cannot be kept: of other colours than grey and YCbCr, or
      of a broken file.
    """
    mode = "L" if pixels.ndim == 2 else "RGB"
    head = jpeg_head(mode, settings)
    try:
        picture = jpeg_picture(content)
        if changed.any():
            # Without a profile, comments and the like, which jpeglib need not read.
            picture = _changed(jpeg_head(mode, {}) + picture, mode, pixels, changed)
    except (JpegError, OSError):
        return None
    return head + picture


def _changed(
    source: bytes, mode: str, pixels: np.ndarray, changed: np.ndarray
) -> bytes:
    """The picture with new blocks; JpegError if it has other colours."""
    with _LOCK, tempfile.TemporaryDirectory(prefix="anonygan-") as folder:
        path = pathlib.Path(folder) / "picture.jpg"
        path.write_bytes(source)
        jpeglib.version.set(_LIBRARY)
        jpeg = jpeglib.read_dct(path)
        if jpeg.jpeg_color_space != _SPACES[mode]:
            raise JpegError(f"colours {jpeg.jpeg_color_space}")
        if (jpeg.height, jpeg.width) != changed.shape:
            raise JpegError("another size")
        jpeg.markers = []
        _put_blocks(jpeg, pixels, changed, path)
        jpeg.write_dct(str(path), flags=["+OPTIMIZE_CODING"])
        return jpeg_picture(path.read_bytes())


def _put_blocks(
    jpeg: jpeglib.DCTJPEG, pixels: np.ndarray, changed: np.ndarray, path: pathlib.Path
) -> None:
    """Encodes the part with all changes, and takes its changed blocks."""
    vertical, horizontal = (_BLOCK * int(n) for n in jpeg.samp_factor.max(0))
    units = _any_in(changed, vertical, horizontal)
    rows, columns = (np.flatnonzero(units.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    bottom, right = int(rows[-1]) + 1, int(columns[-1]) + 1
    part = pixels[
        top * vertical : bottom * vertical, left * horizontal : right * horizontal
    ]
    new = _encoded(part, jpeg, path)
    inside = units[top:bottom, left:right]
    for name, (high, wide) in zip(_COMPONENTS, jpeg.samp_factor, strict=False):
        old, fresh = getattr(jpeg, name), getattr(new, name)
        rows_of, columns_of = fresh.shape[:2]
        mask = inside.repeat(high, 0).repeat(wide, 1)[:rows_of, :columns_of]
        place = old[top * high :, left * wide :][:rows_of, :columns_of]
        place[mask] = fresh[mask]


def _encoded(
    part: np.ndarray, jpeg: jpeglib.DCTJPEG, path: pathlib.Path
) -> jpeglib.DCTJPEG:
    """A part of the picture as JPEG with the same tables and sampling."""
    encoder = jpeglib.from_spatial(np.ascontiguousarray(np.atleast_3d(part)))
    encoder.jpeg_color_space = jpeg.jpeg_color_space
    encoder.samp_factor = jpeg.samp_factor
    place = path.with_name("part.jpg")
    encoder.write_spatial(str(place), qt=jpeg.qt, quant_tbl_no=jpeg.quant_tbl_no)
    new = jpeglib.read_dct(place)
    same = np.array_equal(new.samp_factor, jpeg.samp_factor)
    if not same or not np.array_equal(new.qt, jpeg.qt):
        raise JpegError("other sampling or tables")
    return new


def _any_in(changed: np.ndarray, height: int, width: int) -> np.ndarray:
    """Which units of so many pixels have a change."""
    rows = np.logical_or.reduceat(changed, np.arange(0, changed.shape[0], height), 0)
    return np.logical_or.reduceat(rows, np.arange(0, changed.shape[1], width), 1)
