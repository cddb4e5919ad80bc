"""Pixels of photos in their own depth and mode, and as methods see them."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
from PIL import Image

from anonygan_jax.anonymise.photo.colours import to_rgb
from anonygan_jax.anonymise.photo.deep_colours import decode_deep, is_deep
from anonygan_jax.anonymise.photo.orientation import as_stored, upright
from anonygan_jax.io.photos import PhotoError

DEEPEST = 65535
_GREY = ("JPEG", "PNG", "BMP", "DIB")  # formats that have it
_LUMA = np.array([299, 587, 114], np.uint32)  # thousandths; as Pillow's


@dataclasses.dataclass(frozen=True)
class Page:
    """A photo, or a page of one, in its own depth and mode.

    Attributes:
      pixels: uint8 or uint16 [H, W] or [H, W, C], as stored: grey, grey and opacity,
        RGB, RGB and opacity.
      orientation: EXIF's number; 1 is upright.
      settings: of Pillow's `save`: colour profile, EXIF, density, JPEG's tables.
    """

    pixels: np.ndarray
    orientation: int = 1
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def num_colours(self) -> int:
        """1 of grey, 3 of RGB."""
        return 3 if self.pixels.ndim == 3 and self.pixels.shape[2] > 2 else 1

    @property
    def has_opacity(self) -> bool:
        """Whether the last channel is opacity."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] in (2, 4)

    @property
    def num_bits(self) -> int:
        """Bits of the values: 8, or as many as the largest of 16-bit ones needs."""
        if self.pixels.dtype == np.uint8:
            return 8
        return max(8, int(self._colours().max()).bit_length())

    def view(self) -> np.ndarray:
        """Returns uint8 [H, W, 3] RGB, upright; 12 bits in 16 fill the range.

        Colours where nothing is opaque are seen, too.
        """
        colours = self._colours()
        if colours.dtype != np.uint8:
            colours = (colours >> (self.num_bits - 8)).astype(np.uint8)
        if self.num_colours == 1:
            colours = np.repeat(colours, 3, axis=-1)
        return np.ascontiguousarray(upright(colours, self.orientation))

    def replaced(self, image_u8: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """Returns the pixels with new ones where they changed.

        A grey photo stays grey.

        Args:
          image_u8: uint8 [H, W, 3] RGB, upright.
          changed: bool [H, W], upright.
        """
        result, where = self.pixels.copy(), as_stored(changed, self.orientation)
        new = as_stored(image_u8, self.orientation)[where]
        if self._is_grey():
            new = np.round(new @ _LUMA / 1000).astype(np.uint8)[:, None]
        if result.dtype != np.uint8:
            most = (1 << self.num_bits) - 1
            new = ((new.astype(np.uint32) * most + 127) // 255).astype(np.uint16)
        if result.ndim == 2:
            result[where] = new[:, 0]
        else:
            result[where, : self.num_colours] = new
        return result

    def _colours(self) -> np.ndarray:
        """The channels but opacity, [H, W, 1 or 3]."""
        return np.atleast_3d(self.pixels)[..., : self.num_colours]

    def _is_grey(self) -> bool:
        """Whether there is no colour, whatever the mode."""
        if self.num_colours == 1:
            return True
        red, green, blue = (self.pixels[..., n] for n in range(3))
        return bool(np.array_equal(red, green) and np.array_equal(red, blue))


def fitting(page: Page, kind: str) -> np.ndarray:
    """Returns the pixels in a depth and mode that a format has, one of Pillow's."""
    pixels = page.pixels if kind == "PNG" else _eight_bits(page)
    if page.has_opacity and kind == "JPEG":
        pixels = pixels[..., : page.num_colours]
        pixels = pixels[..., 0] if page.num_colours == 1 else pixels
    has_opacity = page.has_opacity and kind != "JPEG"
    if page.num_colours == 1 and (kind not in _GREY or (has_opacity and kind != "PNG")):
        grey = np.atleast_3d(pixels)
        pixels = np.concatenate([grey[..., :1]] * 3 + [grey[..., 1:]], -1)
    return np.ascontiguousarray(pixels)


def _eight_bits(page: Page) -> np.ndarray:
    """The pixels as uint8."""
    if page.pixels.dtype == np.uint8:
        return page.pixels
    shifted = page.pixels >> (page.num_bits - 8)
    if page.has_opacity:
        shifted[..., -1] = page.pixels[..., -1] >> 8
    return shifted.astype(np.uint8)


def decoded(photo: Image.Image, path: pathlib.Path, number: int = 0) -> np.ndarray:
    """Returns the pixels of an opened photo or page, see `Page`.

    Palettes, two colours, CMYK and the like become what shows the same: grey or RGB,
    with opacity if they have any.

    Args:
      number: of the page.

    Raises:
      PhotoError: the pixels are no whole numbers of up to 16 bits.
      OSError and others: it cannot be decoded, see `io.photos.opened`.
    """
    if is_deep(photo):
        return decode_deep(photo, path, number)
    if photo.mode == "I" or photo.mode.startswith("I;16"):
        return _deep_grey(photo, path)
    if photo.mode == "F":
        raise PhotoError(f"{path}: pixel type 'F' is not 8 or 16 bits")
    if photo.has_transparency_data:
        mode = "LA" if photo.mode in ("L", "LA", "La") else "RGBA"
        return np.array(photo.convert(mode))
    if photo.mode in ("1", "L"):
        return np.array(photo.convert("L"))
    return np.array(to_rgb(photo))


def _deep_grey(photo: Image.Image, path: pathlib.Path) -> np.ndarray:
    """Grey of more than 8 bits, uint16."""
    inverted = _is_white_zero(photo)
    values = np.asarray(photo)
    if values.min() < 0 or values.max() > DEEPEST:
        raise PhotoError(f"{path}: pixel type {photo.mode!r} is not 8 or 16 bits")
    grey = values.astype(np.uint16)
    return DEEPEST - grey if inverted else grey


def _is_white_zero(photo: Image.Image) -> bool:
    """Whether a TIFF's zero is white, which Pillow heeds in 8 bits alone."""
    tags = getattr(photo, "tag_v2", {})
    return tags.get(262) == 0  # PhotometricInterpretation
