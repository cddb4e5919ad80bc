"""Photos with their metadata, page by page; originals are never overwritten."""

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

from PIL import Image, JpegImagePlugin
from PIL.ExifTags import Base

from anonygan_jax.anonymise.photo import orientation
from anonygan_jax.anonymise.photo.colours import kept_profile
from anonygan_jax.anonymise.photo.leftovers import (
    is_reduced,
    left_out,
    without_reduced,
)
from anonygan_jax.anonymise.photo.metadata import kept_exif, pixels_per_inch
from anonygan_jax.anonymise.photo.pixels import Page, decoded
from anonygan_jax.io.photo_formats import is_lossless_webp
from anonygan_jax.io.photos import PhotoError, check_size, opened

# What other pictures a file has is known, and that they may be left out.
_FIRST_ONLY = ("MPO", "HEIF")


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """A photo whose pages are decoded when they are asked for.

    Attributes:
      format: Pillow's name.
      numbers: of the pages; a photo has one.
      note: what of it is in no result.
      kept_metadata: see `open_image`.
      max_pixels: of a page; None for the usual limit.
    """

    path: pathlib.Path
    format: str
    numbers: tuple[int, ...]
    note: str = ""
    kept_metadata: tuple[str, ...] = ()
    max_pixels: int | None = None

    def pages(self) -> Iterator[Page]:
        """Yields the pages.

        Raises:
          PhotoError: a page cannot be decoded, or is too large.
        """
        for number in self.numbers:
            with opened(self.path, max_pixels=self.max_pixels) as photo:
                if number:
                    photo.seek(number)
                    check_size(self.path, photo.size, self.max_pixels)
                # First: Pillow decodes a PNG when it is asked for the EXIF.
                pixels = decoded(photo, self.path, number)
                settings = _settings(photo, self.path, self.kept_metadata)
                turn = _orientation(photo)
            yield Page(pixels, turn, settings)


def open_image(
    path: pathlib.Path,
    kept_metadata: tuple[str, ...] = (),
    max_pixels: int | None = None,
) -> ImageFile:
    """Returns a photo that is not decoded yet.

    Args:
      kept_metadata: groups of EXIF to keep, see `metadata.GROUPS`.
      max_pixels: of a page; None for the usual limit.

    Raises:
      PhotoError: as `io.photos.read_photo`, or it is an animation.
    """
    with opened(path, max_pixels=max_pixels) as photo:
        kind, note = photo.format or "", left_out(photo, path)
        frames = getattr(photo, "n_frames", 1)
        numbers: tuple[int, ...] = (0,)
        if kind == "TIFF":
            numbers = tuple(n for n in range(frames) if not _is_reduced(photo, n))
            note = without_reduced(frames - len(numbers))
        elif kind == "HEIF":
            numbers = (photo.tell(),)
        elif frames > 1 and kind not in _FIRST_ONLY:
            raise PhotoError(f"{path}: {frames} frames, wanted one")
    return ImageFile(path, kind, numbers, note, kept_metadata, max_pixels)


def _is_reduced(photo: Image.Image, number: int) -> bool:
    """Whether a page is no picture of its own; the first one is."""
    photo.seek(number)
    return bool(number) and is_reduced(photo)


def _orientation(photo: Image.Image) -> int:
    """EXIF's number of pixels that Pillow does not turn itself."""
    if photo.format in ("TIFF", "HEIF"):
        return orientation.UPRIGHT
    return orientation.known(photo.getexif().get(Base.Orientation))


def _settings(
    photo: Image.Image, path: pathlib.Path, kept_metadata: tuple[str, ...]
) -> dict[str, Any]:
    """Settings of Pillow's `save`, see `Page`."""
    settings: dict[str, Any] = {}
    if profile := kept_profile(photo):
        settings["icc_profile"] = profile
    if density := pixels_per_inch(photo):
        settings["dpi"] = density
    exif = kept_exif(photo.getexif(), kept_metadata)
    if exif or kept_metadata:
        settings["exif"] = exif
    if isinstance(photo, JpegImagePlugin.JpegImageFile) and photo.mode in ("L", "RGB"):
        settings["qtables"] = photo.quantization
        settings["subsampling"] = max(0, JpegImagePlugin.get_sampling(photo))
        settings["is_ycbcr"] = _is_ycbcr(photo)
    if photo.format == "WEBP" and is_lossless_webp(path):
        settings.update(lossless=True, exact=True)
    return settings


def _is_ycbcr(photo: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether a JPEG has grey or the usual colours, not RGB itself."""
    names = bytes(part[0] for part in photo.layer)  # type: ignore[attr-defined]
    has_jfif = "jfif" in photo.info
    is_rgb = photo.info.get("adobe_transform") == 0 or names == b"RGB"
    return photo.mode == "L" or has_jfif or not is_rgb
