"""Photos of every kind become upright RGB or are refused by name."""

import contextlib
import io
import os
import pathlib

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from anonygan_jax.io import photos
from anonygan_jax.io.inputs import find_photos

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (6, 9, 3), np.uint8)


def test_rgb_is_unchanged(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    np.testing.assert_array_equal(photos.read_photo(tmp_path / "a.png"), PIXELS)


def test_ycbcr_becomes_rgb_as_pillow_converts_it():
    image = Image.fromarray(PIXELS).convert("YCbCr")  # Pillow 12.3 reads no such TIFF
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(photos.as_rgb(image, "a"), expected)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_modes_become_rgb_as_pillow_converts_them(tmp_path, mode):
    image = Image.fromarray(PIXELS).convert(mode)
    image.save(tmp_path / "a.tiff")
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(photos.read_photo(tmp_path / "a.tiff"), expected)


def test_transparency_is_laid_over_white(tmp_path):
    alpha = RNG.integers(0, 256, (6, 9, 1), np.uint8)
    Image.fromarray(np.concatenate([PIXELS, alpha], -1)).save(tmp_path / "a.png")
    weight = alpha / 255.0
    expected = PIXELS * weight + 255 * (1 - weight)
    assert np.abs(photos.read_photo(tmp_path / "a.png") - expected).max() <= 1


def test_sixteen_bit_grey_keeps_its_upper_bits(tmp_path):
    grey = RNG.integers(0, 65536, (6, 9), np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    expected = np.repeat((grey // 256)[..., None], 3, -1)
    np.testing.assert_array_equal(photos.read_photo(tmp_path / "a.png"), expected)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1))],
)
def test_exif_orientation_is_applied(tmp_path, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(photos.read_photo(tmp_path / "a.png"), turn(PIXELS))


def _truncated(path):
    Image.fromarray(np.repeat(PIXELS, 50, 0)).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:400])


def _floating_point(path):
    Image.fromarray(np.ones((4, 4), np.float32)).save(path, "TIFF")


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_bytes(b""), "cannot be decoded"),
        (
            lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\nrubbish"),
            "cannot be decoded",
        ),
        (lambda path: None, "no such file"),
        (_truncated, "cannot be decoded"),
        (_floating_point, "pixel type 'F'"),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path, write, reason):
    path = tmp_path / "bad.jpg"
    write(path)
    with pytest.raises(photos.PhotoError, match=reason) as error:
        photos.read_photo(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_huge_photos_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(photos, "MAX_PIXELS", 50)
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    with pytest.raises(photos.PhotoError, match="9x6 pixels"):
        photos.read_photo(tmp_path / "a.png")


def test_find_photos_sorts_folders_files_and_lists(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("b/2.jpg", "b/1.png", "c.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "some.txt").write_text("b/2.jpg\n\nc.jpg\n")
    names = [photo.name for photo in find_photos([tmp_path / "some.txt"])]
    assert names == ["b/2.jpg", "c.jpg"]
    names = [photo.name for photo in find_photos([tmp_path / "b"])]
    assert names == ["1.png", "2.jpg"]


def test_find_photos_names_what_is_missing_and_names_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        find_photos([tmp_path / "nowhere"])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").touch()
    names = [photo.name for photo in find_photos([tmp_path / "a", tmp_path / "b"])]
    assert names == ["1 (a).jpg", "1 (b).jpg"]


def test_names_of_lists_lead_nowhere_else(tmp_path):
    photo = tmp_path / "photos" / "a.png"
    photo.parent.mkdir()
    Image.fromarray(PIXELS).save(photo)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "l.txt").write_text(f"{photo}\n../photos/a.png\n")
    found = find_photos([lists / "l.txt"])
    names = {"photos/a.png", str(photo).removeprefix("/")}
    assert {file.name for file in found} == names
    assert all(file.path.resolve() == photo.resolve() for file in found)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 6\n%%EndComments\nshowpage\n"
PSD = b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\0\6\0\0\0\x09\0\x08\0\3" + bytes(64)
OTHERS = {
    "EPS": EPS,
    "PSD": PSD,
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>',
    "XBM": b"#define im_width 8\n#define im_height 1\nstatic char im_bits[] = {0};\n",
    "WMF": b"\xd7\xcd\xc6\x9a\0\0" + bytes(40),
    "text": b"not a photo",
    "a byte": b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_other_formats_are_refused_whatever_their_name(kind, suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(OTHERS[kind])
    with pytest.raises(photos.PhotoError) as error:
        photos.read_photo(path)
    assert str(error.value).startswith(f"{path}: cannot be decoded (content of none of")
    assert "\n" not in str(error.value)


def test_no_file_starts_ghostscript(tmp_path, monkeypatch):
    marker, program = tmp_path / "started", tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    (tmp_path / "a.jpg").write_bytes(EPS)
    with pytest.raises(photos.PhotoError):
        photos.read_photo(tmp_path / "a.jpg")
    assert not marker.exists()
    with (
        contextlib.suppress(OSError, ValueError),
        Image.open(tmp_path / "a.jpg") as eps,
    ):
        eps.load()
    assert marker.exists()  # as it would be without the list of formats


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM"])
def test_content_counts_not_the_name(kind, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", kind)
    assert photos.read_photo(tmp_path / "a.jpg").shape == PIXELS.shape
    content = io.BytesIO((tmp_path / "a.jpg").read_bytes())
    read = photos.read_photo("nowhere", content)
    np.testing.assert_array_equal(read, photos.read_photo(tmp_path / "a.jpg"))


def test_the_package_opens_pictures_in_one_place():
    package = pathlib.Path(photos.__file__).parents[1]
    texts = {path: path.read_text() for path in package.rglob("*.py")}
    places = {p.name for p, text in texts.items() if "Image.open(" in text}
    assert places == {"photos.py"}
    places = {p.name for p, text in texts.items() if "np.load(" in text}
    assert places == {"arrays.py"}
    places = {p.name for p, text in texts.items() if "cv2.imread(" in text}
    assert not places


def test_what_is_no_photo_does_not_take_a_photos_place(tmp_path, monkeypatch):
    """Its path may be a photo's name."""
    for name in ("here", "other"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "other" / "x.jpg")
    (tmp_path / "here" / "x.jpg").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path / "here")
    for inputs in (["../other", "."], [".", "../other"]):
        found = find_photos(inputs)
        assert sorted(bool(file.problem) for file in found) == [False, True]
