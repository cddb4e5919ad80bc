"""Photo files: search in folders, and decoding to upright RGB."""

import contextlib
import dataclasses
import pathlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

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
    """

    path: pathlib.Path
    name: str

    @property
    def has_photo_suffix(self) -> bool:
        """Whether the suffix is that of a photo format."""
        return self.path.suffix.lower() in PHOTO_SUFFIXES


def find_photos(inputs: Iterable[str | pathlib.Path]) -> list[PhotoFile]:
    """Returns every file named by `inputs`, sorted by name.

    Args:
      inputs: folders (searched recursively), single files, or `.txt` lists with one
        path a line, relative to the list's folder. Files of every suffix are returned,
        so that callers can report the files that are not photos.

    Raises:
      FileNotFoundError: an input does not exist; the message names it.
      PhotoError: two inputs contain files of one name.
    """
    found: dict[str, PhotoFile] = {}
    for item in inputs:
        for photo in _expand(pathlib.Path(item)):
            known = found.setdefault(photo.name, photo)
            if known.path.resolve() != photo.path.resolve():
                raise PhotoError(
                    f"{known.path} and {photo.path} would both be called "
                    f"{photo.name!r}; give their common parent folder instead"
                )
    return [found[name] for name in sorted(found)]


def _expand(item: pathlib.Path) -> Iterable[PhotoFile]:
    """Files of one input."""
    if item.is_dir():
        for path in item.rglob("*"):
            if path.is_file():
                yield PhotoFile(path, path.relative_to(item).as_posix())
    elif not item.exists():
        raise FileNotFoundError(f"{item}: no such file or folder")
    elif item.suffix.lower() == ".txt":
        for line in item.read_text().splitlines():
            if line.strip():
                path = pathlib.Path(line.strip())
                # A name must not lead out of the folder to which it is appended.
                parts = [p for p in path.parts if p not in (path.anchor, "..")]
                yield PhotoFile(item.parent / path, "/".join(parts))
    else:
        yield PhotoFile(item, item.name)


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
