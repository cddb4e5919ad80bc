"""Photo files, decoded to upright RGB."""

import contextlib
import pathlib
import struct
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from anonygan_jax.io.extras import MissingPackage
from anonygan_jax.io.photo_formats import READ, formats_of

MAX_PIXELS = 200_000_000  # a 200-megapixel photo is 600 MB once decoded

_PILLOW_LIMIT = threading.Lock()
_DECODER_ERRORS = (
    OSError,  # includes PIL.UnidentifiedImageError and truncated files
    SyntaxError,  # broken PNG chunks
    TypeError,  # TIFF without sizes
    RuntimeError,  # AVIF
    LookupError,  # GIF that ends early
    *(ValueError, EOFError, struct.error, zlib.error, MemoryError),
)


class PhotoError(ValueError):
    """A photo that cannot be used; the message names the file and the reason."""


def read_photo(path: str | pathlib.Path, content: BinaryIO | None = None) -> np.ndarray:
    """Returns the photo as uint8 [H, W, 3] RGB, upright.

    Grey, palette and CMYK photos become RGB. Transparent pixels are composited over
    white. 16-bit grey is reduced to 8 bits. The EXIF orientation is applied.

    Args:
      path: of the file, or what messages call the content.
      content: read in place of the file.

    Raises:
      PhotoError: the file is missing, empty, of another format, not decodable or
        truncated, or its pixels are floating-point numbers or more than `MAX_PIXELS`;
        the message says which.
    """
    with opened(path, content) as image:
        return as_rgb(ImageOps.exif_transpose(image), path)


@contextlib.contextmanager
def opened(
    path: str | pathlib.Path,
    content: BinaryIO | None = None,
    max_pixels: int | None = None,
) -> Iterator[Image.Image]:
    """Yields a photo that is not decoded yet; arguments as `read_photo`.

    Args:
      max_pixels: None for `MAX_PIXELS`.

    Raises:
      PhotoError: as `read_photo`, also where decoding in the block fails.
    """
    try:
        with _open(path, content) as image:
            check_size(path, image.size, max_pixels)
            yield image
    except PhotoError:
        raise
    except MissingPackage as error:
        raise PhotoError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{path}: cannot be decoded (content of none of the formats "
            f"{', '.join(READ)} or HEIC)"
        ) from error
    except _DECODER_ERRORS as error:
        raise PhotoError(f"{path}: cannot be decoded ({_one_line(error)})") from error


def check_size(
    path: str | pathlib.Path, size: tuple[int, int], max_pixels: int | None
) -> None:
    """Accepts a photo of so many pixels; None for `MAX_PIXELS`.

    Raises:
      PhotoError: it has more.
    """
    width, height = size
    most = max_pixels or MAX_PIXELS
    if width * height > most:
        raise PhotoError(
            f"{path}: {width}x{height} pixels, more than the limit of "
            f"{most / 1e6:g} megapixels; reduce it first, or raise the limit"
        )


def _open(path: str | pathlib.Path, content: BinaryIO | None) -> Image.Image:
    """A photo of an accepted format, of any size: `opened` has a limit of its own."""
    formats = formats_of(path, content)
    with _PILLOW_LIMIT:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(content or path, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def as_rgb(image: Image.Image, path: str | pathlib.Path) -> np.ndarray:
    """Returns uint8 [H, W, 3] RGB of a decoded photo of any mode.

    Raises:
      PhotoError: the pixels are floating-point numbers or 32-bit integers.
    """
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.mode in ("I", "F"):
        raise PhotoError(f"{path}: pixel type {image.mode!r} is not 8 or 16 bits")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))


def _one_line(error: BaseException) -> str:
    """An error's text on one line."""
    return " ".join(str(error).split()) or type(error).__name__
