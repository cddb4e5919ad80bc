"""Photo files: search in folders, and decoding to upright RGB."""

import contextlib
import dataclasses
import os
import pathlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from anonygan_jax.io.atomic_write import is_temporary
from anonygan_jax.io.paths import local_path
from anonygan_jax.io.search import files_below

PHOTO_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff")
    + (".webp", ".gif", ".ppm", ".pgm")
)
VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv")
    + (".mts", ".m2ts", ".ts", ".3gp", ".ogv")
)
MAX_PIXELS = 150_000_000  # a 150-megapixel photo is 450 MB once decoded

# Pillow's names. Its other formats have old decoders, or start other programs: EPS
# Ghostscript. A file's content counts, not its name.
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "AVIF")
_TOO_LARGE = (
    f"more than the limit of {MAX_PIXELS // 1_000_000} megapixels; reduce it first"
)
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
      problem: why it cannot be a photo or video whatever its suffix; None if it can.
      is_loss: whether the problem may hide photos: a folder that cannot be read.
    """

    path: pathlib.Path
    name: str
    problem: str | None = None
    is_loss: bool = False

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
        searched, so that callers can report what is not a photo.

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
            if not (photo.has_photo_suffix or photo.has_video_suffix):
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
            elif is_temporary(path):
                yield PhotoFile(path, name, "a temporary file of this tool")
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
        lines = item.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise PhotoError(f"{item}: not a list of files ({error})") from error
    if any("\0" in line for line in lines):
        raise PhotoError(f"{item}: not a list of files (a zero byte)")
    for line in lines:
        if line.strip():
            path = pathlib.Path(line.strip())
            # A name must not lead out of the folder to which it is appended.
            parts = [p for p in path.parts if p not in (path.anchor, "..")]
            yield _named(item.parent / path, "/".join(parts))


def _named(path: pathlib.Path, name: str) -> PhotoFile:
    """A file that the user named; reading one that is missing says so."""
    if os.path.exists(path) and not path.is_file():
        return PhotoFile(path, name, "not a file")  # reading a pipe would never end
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
    path: str | pathlib.Path, content: BinaryIO | None = None
) -> Iterator[Image.Image]:
    """Yields a photo that is not decoded yet; arguments as `read_photo`.

    Raises:
      PhotoError: as `read_photo`, also where decoding in the block fails.
    """
    try:
        with Image.open(content or path, formats=_FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise PhotoError(f"{path}: {width}x{height} pixels, {_TOO_LARGE}")
            yield image
    except PhotoError:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{path}: {_TOO_LARGE}") from error
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: no such file") from error
    except UnidentifiedImageError as error:
        raise PhotoError(
            f"{path}: cannot be decoded (content of none of the formats "
            f"{', '.join(_FORMATS)})"
        ) from error
    except _DECODER_ERRORS as error:
        raise PhotoError(f"{path}: cannot be decoded ({_one_line(error)})") from error


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
