"""Results of photos in the depth, mode and format of their sources."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from PIL import Image
from PIL.ExifTags import Base

from anonygan_jax.anonymise.photo.headers import png_xmp, with_png_chunks
from anonygan_jax.anonymise.photo.image_io import ImageFile
from anonygan_jax.anonymise.photo.orientation import UPRIGHT, as_stored, upright
from anonygan_jax.anonymise.photo.pixels import Page, fitting
from anonygan_jax.anonymise.results import joined
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.photo_formats import WRITTEN
from anonygan_jax.io.photos import PhotoError

QUALITY = 98  # of formats with loss, unless the source's JPEG tables can be used
_WITH_ORIENTATION = ("JPEG", "PNG", "WEBP", "AVIF")
_METADATA = ("icc_profile", "exif", "dpi", "xmp", "pnginfo")


@dataclasses.dataclass(frozen=True)
class Changed:
    """What became of a page.

    Attributes:
      image: uint8 [H, W, 3] RGB, upright.
      boxes: of hidden faces, pixels. In them no bits below the eighth are left.
      xmp: a packet; None for no metadata of that kind.
    """

    image: np.ndarray
    boxes: tuple[tuple[int, ...], ...] = ()
    xmp: bytes | None = None


# Changes a page, of which it takes number and `Page.view`.
Change = Callable[[int, np.ndarray], Changed]
# Pixels as they are to be stored, which of them changed, and settings of the metadata.
_Done = tuple[Page, np.ndarray]


def write_image(path: pathlib.Path, photo: ImageFile, change: Change) -> str:
    """Writes a photo in the format of the suffix; it is complete, or there is none.

    Pixels that do not change are the source's, bit for bit, as far as the format has no
    loss. A JPEG keeps the coefficients of blocks without a change.

    Returns:
      What of the source is not in the result, in words; "" if nothing.

    Raises:
      PhotoError: the photo cannot be decoded, or has pages that the format has not.
      OSError: the disk is full or the folder cannot be written to.
      ValueError: there is no such format.
    """
    if path.suffix.lower() not in WRITTEN:
        raise ValueError(f"{path}: unknown file extension")
    kind = WRITTEN[path.suffix.lower()]
    if kind != "TIFF" and len(photo.numbers) > 1:
        raise PhotoError(
            f"{photo.path}: {len(photo.numbers)} pages, but no TIFF's name"
        )
    done = (_done(page, change, n, kind) for n, page in enumerate(photo.pages()))
    note = photo.note
    with atomic_write(path) as partial:
        if kind == "TIFF":
            from anonygan_jax.anonymise.photo.tiff import write_tiff

            write_tiff(partial, ((page.pixels, page.settings) for page, _ in done))
        else:
            ((page, changed),) = done
            if page.pixels.dtype != np.uint8 and kind != "PNG":
                note = joined(note, "its 16 bits become 8")
            _write(partial, kind, photo, page, changed)
    return note


def write_photo(path: pathlib.Path, image_u8: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] without metadata, atomically."""
    with atomic_write(path) as partial:
        Image.fromarray(image_u8).save(partial, quality=QUALITY)


def _done(page: Page, change: Change, number: int, kind: str) -> _Done:
    """A page as it is to be stored, and which of its pixels changed."""
    before = page.view()
    made = change(number, before)
    changed = _differ(before, made.image)
    if page.pixels.dtype != np.uint8:
        for left, top, right, bottom in made.boxes:
            changed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = True
    pixels, turn = page.replaced(made.image, changed), page.orientation
    changed = as_stored(changed, turn)
    if kind not in _WITH_ORIENTATION:
        pixels, changed, turn = upright(pixels, turn), upright(changed, turn), UPRIGHT
    settings = {**page.settings, **_metadata(page, turn, kind, made.xmp)}
    return Page(np.ascontiguousarray(pixels), turn, settings), changed


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where two images differ, bool [H, W]."""
    result = one[..., 0] != other[..., 0]
    for channel in (1, 2):
        result |= one[..., channel] != other[..., channel]
    return result


def _metadata(page: Page, turn: int, kind: str, xmp: bytes | None) -> dict[str, Any]:
    """Settings of the metadata that depend on the result's format."""
    settings: dict[str, Any] = {}
    if turn != UPRIGHT:
        settings["exif"] = page.settings.get("exif") or Image.Exif()
        settings["exif"][Base.Orientation] = turn
    if xmp and kind == "PNG":
        settings["pnginfo"] = png_xmp(xmp)
    elif xmp:
        settings["xmp"] = xmp
    return settings


def _write(
    path: pathlib.Path, kind: str, photo: ImageFile, page: Page, changed: np.ndarray
) -> None:
    """Writes one page."""
    settings = {k: v for k, v in page.settings.items() if k in _METADATA}
    if kind == "PNG" and page.pixels.dtype != np.uint8 and page.pixels.ndim == 3:
        path.write_bytes(with_png_chunks(_deep_png(page.pixels), settings))
        return
    pixels = fitting(page, kind)
    if kind == "JPEG" and page.settings.get("is_ycbcr"):
        # jpeglib takes 0.3 s to import.
        from anonygan_jax.anonymise.photo.coefficients import with_changes

        content = photo.path.read_bytes()
        written = with_changes(content, pixels, changed, settings)
        if written is not None:
            path.write_bytes(written)
            return
    image = Image.fromarray(pixels)
    image.save(path, kind, **settings, **_encoding(page.settings, kind))


def _encoding(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    """Settings of the compression."""
    if kind == "JPEG" and settings.get("is_ycbcr"):
        return {key: settings[key] for key in ("qtables", "subsampling")}
    if kind == "WEBP" and settings.get("lossless"):
        return {"lossless": True, "exact": True}
    return (
        {"quality": QUALITY, "subsampling": "4:4:4"}
        if kind == "JPEG"
        else {"quality": QUALITY}
    )


def _deep_png(pixels: np.ndarray) -> bytes:
    """A PNG of uint16 colours."""
    has_opacity = pixels.shape[2] == 4
    code = cv2.COLOR_RGBA2BGRA if has_opacity else cv2.COLOR_RGB2BGR
    _, content = cv2.imencode(".png", cv2.cvtColor(pixels, code))
    return content.tobytes()
