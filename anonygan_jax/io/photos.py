"""Photo files: search in folders, and decoding to upright RGB."""

import contextlib
import dataclasses
import os
import pathlib
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from anonygan_jax.io.extras import MissingPackage
from anonygan_jax.io.lists import ListError, read_list
from anonygan_jax.io.paths import local_path
from anonygan_jax.io.photo_formats import (
    PHOTO_SUFFIXES,
    READ,
    extension_of,
    formats_of,
)
from anonygan_jax.io.search import files_below

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv")
    + (".mts", ".m2ts", ".ts", ".3gp", ".ogv")
)
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


@dataclasses.dataclass(frozen=True)
class PhotoFile:
    """A file and its name.

    Attributes:
      name: its path below the input folder, with "/".
      extension: usual suffix of the photo's format, if the user named the file, its
        content is a photo and its suffix says nothing.
      problem: why it cannot be a photo or video whatever its suffix; None if it can.
      is_loss: whether the problem may hide photos: a folder that cannot be read.
    """

    path: pathlib.Path
    name: str
    problem: str | None = None
    is_loss: bool = False
    extension: str = ""

    @property
    def is_photo(self) -> bool:
        """Whether it is a photo by its suffix, or a named one by its content."""
        return self.has_photo_suffix or bool(self.extension)

    @property
    def has_photo_suffix(self) -> bool:
        """Whether the suffix is that of a photo format."""
        return self.problem is None and self.path.suffix.lower() in PHOTO_SUFFIXES

    @property
    def has_video_suffix(self) -> bool:
        """Whether the suffix is that of a video format."""
        return self.problem is None and self.path.suffix.lower() in VIDEO_SUFFIXES


def find_photos(inputs: Iterable[str | pathlib.Path]) -> list[PhotoFile]:
    """Returns every file named by `inputs`, sorted by name.

    Args:
      inputs: folders (searched recursively, each folder once; links are followed),
        single files, or `.txt` lists with one path a line, relative to the list's
        folder. Files of every suffix are returned, and what is no file or cannot be
        searched, so that callers can report what is not a photo. Hidden files are not
        searched.

    Raises:
      FileNotFoundError: an input does not exist; the message names it.
      PathError: an input is an address in a bucket, or has another scheme.
      PhotoError: two inputs contain photos or videos of one name, or a list cannot be
        read.
    """
    found: dict[str, PhotoFile] = {}
    others: dict[str, PhotoFile] = {}  # by path: they have no results, so no names
    for item in inputs:
        for photo in _expand(local_path(item)):
            if not (photo.is_photo or photo.has_video_suffix):
                others[str(photo.path)] = photo
                continue
            known = found.setdefault(photo.name, photo)
            if known.path.resolve() != photo.path.resolve():
                raise PhotoError(
                    f"{known.path} and {photo.path} would both be called "
                    f"{photo.name!r}; give their common parent folder instead"
                )
    files = (*found.values(), *others.values())
    return sorted(files, key=lambda photo: (photo.name, photo.path))


def _expand(item: pathlib.Path) -> Iterable[PhotoFile]:
    """Files of one input."""
    if item.is_dir():
        for path, problem in files_below(item):
            name = path.relative_to(item).as_posix()
            if problem is not None:
                yield PhotoFile(path, name, str(problem), problem.is_loss)
            else:
                yield PhotoFile(path, name)
    elif not os.path.exists(item):
        raise FileNotFoundError(f"{item}: no such file or folder")
    elif item.suffix.lower() == ".txt" and item.is_file():
        yield from _listed(item)
    else:
        yield _named(item, item.name)


def _listed(item: pathlib.Path) -> Iterator[PhotoFile]:
    """Files of a list."""
    try:
        lines = read_list(item)
    except ListError as error:
        raise PhotoError(str(error)) from error
    for line in lines:
        path = pathlib.Path(line)
        # A name must not lead out of the folder to which it is appended.
        parts = [p for p in path.parts if p not in (path.anchor, "..")]
        yield _named(item.parent / path, "/".join(parts))


def _named(path: pathlib.Path, name: str) -> PhotoFile:
    """A file that the user named; reading one that is missing says so."""
    if os.path.exists(path) and not path.is_file():
        return PhotoFile(path, name, "not a file")  # reading a pipe would never end
    if path.suffix.lower() in PHOTO_SUFFIXES | VIDEO_SUFFIXES:
        return PhotoFile(path, name)
    try:
        with opened(path) as image:
            return PhotoFile(path, name, extension=extension_of(image))
    except PhotoError:
        return PhotoFile(path, name)


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
