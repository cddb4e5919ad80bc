"""Photos with their metadata, read and written; originals are never overwritten."""

import dataclasses
import pathlib
from typing import Any

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from anonygan_jax.anonymise.photo.metadata import kept_exif
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.photos import VIDEO_SUFFIXES, PhotoError, PhotoFile, as_rgb, opened

JPEG_QUALITY = 95  # of WebP, and of JPEG whose source has no compression tables
_KEPT_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))
_WITH_ALPHA = frozenset((".png", ".webp", ".tif", ".tiff"))
_JPEG = frozenset((".jpg", ".jpeg"))


@dataclasses.dataclass(frozen=True)
class ImageFile:
    """A photo and the metadata of its result.

    Attributes:
      image: uint8 [H, W, 3] RGB, upright.
      alpha: uint8 [H, W], opacity; None if all pixels are opaque.
      settings: of Pillow's `save`: colour profile, EXIF, JPEG's compression tables.
    """

    image: np.ndarray
    alpha: np.ndarray | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)


def output_path(file: PhotoFile, output: pathlib.Path) -> pathlib.Path:
    """Returns the path of a file's result.

    The name is the same. Videos become MP4, photos of formats that cannot be written
    PNG. There may be another file of this name: `OutputFolder.task` knows.
    """
    path, suffix = output / file.name, file.path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        path = path.with_suffix(".mp4")
    elif suffix not in _KEPT_SUFFIXES:
        path = path.with_suffix(".png")
    return path


def read_image(path: pathlib.Path, kept_metadata: tuple[str, ...] = ()) -> ImageFile:
    """Returns a photo with its opacity and colour profile.

    Args:
      kept_metadata: groups of EXIF to keep, see `metadata.GROUPS`.

    Raises:
      PhotoError: as `io.photos.read_photo`, or the file has several frames or pages.
    """
    with opened(path) as photo:
        frames = getattr(photo, "n_frames", 1)
        if frames > 1 and photo.format != "MPO":  # its other frames are smaller copies
            raise PhotoError(f"{path}: {frames} frames or pages, wanted one")
        settings: dict[str, Any] = {}
        if photo.mode in ("RGB", "RGBA", "P", "PA") and photo.info.get("icc_profile"):
            settings["icc_profile"] = photo.info["icc_profile"]
        if kept_metadata:
            settings["exif"] = kept_exif(photo.getexif(), kept_metadata)
        if isinstance(photo, JpegImagePlugin.JpegImageFile) and photo.mode == "RGB":
            settings["qtables"] = photo.quantization
            settings["subsampling"] = JpegImagePlugin.get_sampling(photo)
        upright = ImageOps.exif_transpose(photo)
        alpha = None
        if upright.has_transparency_data:
            alpha = np.array(upright.convert("RGBA"))[..., 3]
            return ImageFile(
                np.array(upright.convert("RGBA"))[..., :3], alpha, settings
            )
        return ImageFile(as_rgb(upright, path), None, settings)


def write_image(path: pathlib.Path, image_file: ImageFile) -> None:
    """Writes a photo in the format of the suffix; it is complete, or there is none.

    Raises:
      OSError: the disk is full or the folder cannot be written to.
    """
    suffix = path.suffix.lower()
    image, settings = Image.fromarray(image_file.image), dict(image_file.settings)
    if image_file.alpha is not None and suffix in _WITH_ALPHA:
        image.putalpha(Image.fromarray(image_file.alpha))
    if suffix not in _JPEG or "qtables" not in settings:
        for key in ("qtables", "subsampling"):
            settings.pop(key, None)
        settings["quality"] = JPEG_QUALITY
    with atomic_write(path) as partial:
        image.save(partial, **settings)


def write_photo(path: pathlib.Path, image_u8: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] without metadata; see `write_image`."""
    write_image(path, ImageFile(image_u8))
