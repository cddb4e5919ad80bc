"""TIFF files of one or several pages, in 8 or 16 bits."""

import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import tifffile
from PIL import Image
from PIL.ExifTags import Base

_BYTES, _TEXT = 7, 2  # types of tags
_XMP = 700
# Described by the pixels, or given in other words.
_OWN = {Base.Orientation, Base.XResolution, Base.YResolution, Base.ResolutionUnit}


def write_tiff(
    path: pathlib.Path, pages: Iterable[tuple[np.ndarray, dict[str, Any]]]
) -> None:
    """Writes pages one after the other, compressed without loss.

    Args:
      pages: upright pixels, uint8 or uint16 [H, W] or [H, W, C], and settings as of
        Pillow's `save`: "dpi", "icc_profile", "exif" (texts of the main part), "xmp".

    Raises:
      OSError: the file cannot be written.
    """
    with tifffile.TiffWriter(path, bigtiff=False) as file:
        for pixels, settings in pages:
            file.write(
                pixels,
                photometric="rgb" if pixels.ndim == 3 and pixels.shape[2] > 2 else 1,
                planarconfig="contig" if pixels.ndim == 3 else None,
                extrasamples=_extra(pixels),
                compression="zlib",
                rowsperstrip=max(1, (1 << 22) // pixels[0].nbytes),
                metadata=None,
                software="",
                iccprofile=settings.get("icc_profile"),
                extratags=_tags(settings),
                **_density(settings),
            )


def _extra(pixels: np.ndarray) -> list[str] | None:
    """The meaning of a last channel that is no colour."""
    return ["unassalpha"] if pixels.ndim == 3 and pixels.shape[2] in (2, 4) else None


def _density(settings: dict[str, Any]) -> dict[str, Any]:
    """Arguments for pixels per inch."""
    if not settings.get("dpi"):
        return {}
    return {"resolution": tuple(map(float, settings["dpi"])), "resolutionunit": "INCH"}


def _tags(settings: dict[str, Any]) -> list[tuple[int, int, int, Any, bool]]:
    """Texts of the EXIF and an XMP packet."""
    exif: Image.Exif = settings.get("exif") or Image.Exif()
    texts = {k: v for k, v in exif.items() if isinstance(v, str) and k not in _OWN}
    tags: list[tuple[int, int, int, Any, bool]] = [
        (int(tag), _TEXT, 0, text.encode("utf-8"), True) for tag, text in texts.items()
    ]
    if packet := settings.get("xmp"):
        tags.append((_XMP, _BYTES, len(packet), packet, True))
    return tags
