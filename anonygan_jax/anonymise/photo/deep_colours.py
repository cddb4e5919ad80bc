"""Colours of 16 bits, of which Pillow has no mode: decoded by OpenCV."""

import pathlib

import cv2
import numpy as np
from PIL import Image, PngImagePlugin

from anonygan_jax.io.photos import PhotoError

_DEPTH = 258  # TIFF's tag
_DEEP_PNG = ("RGB;16B", "RGBA;16B", "LA;16B")  # as Pillow would decode them


def is_deep(photo: Image.Image) -> bool:
    """Returns whether an opened photo or page has several channels of 16 bits."""
    if isinstance(photo, PngImagePlugin.PngImageFile):
        return any(tile.args in _DEEP_PNG for tile in photo.tile)
    if photo.format != "TIFF":
        return False
    depths = photo.tag_v2.get(_DEPTH, ())  # type: ignore[attr-defined]
    return len(depths) > 1 and set(depths) == {16} and photo.mode in ("RGB", "RGBA")


def decode_deep(photo: Image.Image, path: pathlib.Path, number: int) -> np.ndarray:
    """Returns uint16 [H, W, 3 or 4] RGB of an opened photo or page, upright if TIFF.

    Args:
      number: of the page.

    Raises:
      PhotoError: it cannot be decoded.
    """
    content = np.fromfile(path, np.uint8)
    try:
        if photo.format == "PNG":
            page = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
        else:
            only = (number, number + 1)
            _, (page,) = cv2.imdecodemulti(content, cv2.IMREAD_UNCHANGED, range=only)
    except (cv2.error, ValueError) as error:
        raise PhotoError(f"{path}: cannot be decoded by OpenCV") from error
    if page is None or page.dtype != np.uint16 or page.shape[:2] != photo.size[::-1]:
        raise PhotoError(f"{path}: its colours of 16 bits cannot be decoded")
    has_opacity = page.shape[2] == 4
    return cv2.cvtColor(page, cv2.COLOR_BGRA2RGBA if has_opacity else cv2.COLOR_BGR2RGB)
