"""Writing photos: never over their originals, never half."""

import pathlib

import numpy as np
from PIL import Image

from anonygan_jax.data.photos import PhotoError, PhotoFile
from anonygan_jax.data.whole_files import written_whole

JPEG_QUALITY = 95  # of WebP too; PNG and the others take no notice
_KEPT_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"))


def output_path(photo: PhotoFile, output: pathlib.Path) -> pathlib.Path:
    """Returns where the anonymised photo goes: same name; others become PNG.

    Raises:
      PhotoError: that is the original itself.
    """
    path = output / photo.name
    if photo.path.suffix.lower() not in _KEPT_SUFFIXES:
        path = path.with_suffix(".png")
    if path.resolve() == photo.path.resolve():
        raise PhotoError(f"{photo.path}: --output would overwrite it; choose another")
    return path


def write_photo(path: pathlib.Path, image_u8: np.ndarray) -> None:
    """Writes uint8 [H, W, 3] whole or not at all; carries no metadata over.

    Raises:
      OSError: the disk is full or the folder cannot be written to.
    """
    with written_whole(path) as partial:
        Image.fromarray(image_u8).save(partial, quality=JPEG_QUALITY)
