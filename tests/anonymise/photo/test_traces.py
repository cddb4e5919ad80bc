"""No byte stream of a result shows the old face, wherever the source has copies."""

import io
import re

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.ExifTags import IFD

from anonygan_jax.anonymise.photo.image_io import open_image
from anonygan_jax.anonymise.photo.writing import Changed, write_image

RED, BLUE = (220, 30, 20), (10, 40, 230)  # the old face, and the new one
PICTURE = np.zeros((64, 64, 3), np.uint8)
PICTURE[:] = RED
_BEGINNINGS = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n")


def _copy(kind="JPEG"):
    content = io.BytesIO()
    Image.fromarray(PICTURE[::2, ::2]).save(content, kind)
    return content.getvalue()


def _exif():
    """A thumbnail in IFD1, and a preview in the maker's note."""
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[0x927C] = b"Maker\0" + _copy()
    thumbnail, block = _copy(), exif.tobytes()
    assert not thumbnail.startswith(block)
    return block + thumbnail


def _ftyp():
    return b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"moov" + _copy()


def _jpeg():
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(
        content, "JPEG", exif=_exif(), comment=_copy(), xmp=b"<x/>" + _copy()
    )
    data = content.getvalue()
    for marker, start in ((0xED, b"Photoshop 3.0\0"), (0xEB, b"JP\0\1jumb c2pa")):
        part = start + _copy()
        data = (
            data[:2]
            + bytes((0xFF, marker))
            + (len(part) + 2).to_bytes(2, "big")
            + part
            + data[2:]
        )
    return data + _ftyp()


def _mpo():
    content = io.BytesIO()
    first = Image.fromarray(PICTURE)
    first.save(content, "MPO", save_all=True, append_images=[first])
    return content.getvalue()


def _png():
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(content, "PNG", exif=_exif())
    return content.getvalue() + _copy("PNG")


def _webp():
    content = io.BytesIO()
    Image.fromarray(PICTURE).save(
        content, "WEBP", exif=_exif(), xmp=b"<x/>" + _copy(), lossless=True
    )
    return content.getvalue()


def _tiff():
    content = io.BytesIO()
    tags = [(tag, 7, len(_copy()), _copy(), True) for tag in (34377, 33723, 37724)]
    with tifffile.TiffWriter(content) as file:
        file.write(PICTURE, photometric="rgb", subifds=1, extratags=tags)
        file.write(PICTURE[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(PICTURE[::2, ::2], photometric="rgb", subfiletype=1)
    return content.getvalue()


SOURCES = {"jpg": _jpeg, "mpo": _mpo, "png": _png, "webp": _webp, "tif": _tiff}


def _pictures(content: bytes, kind: str) -> list[np.ndarray]:
    """Every picture that the bytes show, and every page of a TIFF."""
    found = []
    for match in _BEGINNINGS.finditer(content):
        try:
            with Image.open(io.BytesIO(content[match.start() :])) as image:
                found.append(np.asarray(image.convert("RGB")))
        except (OSError, SyntaxError):
            continue
    if kind == "tif":
        with tifffile.TiffFile(io.BytesIO(content)) as file:
            pages = [*file.pages, *(p for q in file.pages for p in q.pages or ())]
            found += [page.asarray() for page in pages]
    return found


def _reds(pictures: list[np.ndarray]) -> int:
    return sum(np.abs(p.reshape(-1, 3).mean(0) - RED).max() < 40 for p in pictures)


@pytest.mark.parametrize("kind", SOURCES)
def test_no_copy_of_the_old_face_is_left(tmp_path, kind):
    content = SOURCES[kind]()
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    assert _reds(_pictures(content, kind)) >= 2  # so it would be seen
    new = np.empty_like(PICTURE)
    new[:] = BLUE
    out = tmp_path / f"b.{'jpg' if kind == 'mpo' else kind}"
    write_image(
        out, open_image(path, ("gps", "time", "camera")), lambda *_: Changed(new)
    )
    written = out.read_bytes()
    if kind != "webp":
        assert len(_pictures(written, kind)) >= 1
    assert _reds(_pictures(written, kind)) == 0
    with Image.open(out) as result:
        shown = np.asarray(result.convert("RGB"))
    assert np.abs(shown.astype(int) - BLUE).max() < 12


@pytest.mark.parametrize("kind", ["jpg", "mpo"])
def test_a_copy_of_coefficients_has_one_picture(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(SOURCES[kind]())
    write_image(tmp_path / "b.jpg", open_image(path), lambda _, x: Changed(x))
    assert _reds(_pictures((tmp_path / "b.jpg").read_bytes(), kind)) == 1
