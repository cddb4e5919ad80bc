"""Photos of every kind become upright RGB or are refused by name."""

import numpy as np
import pytest
from PIL import Image

from anonygan_jax.io import photos

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
    names = [photo.name for photo in photos.find_photos([tmp_path / "some.txt"])]
    assert names == ["b/2.jpg", "c.jpg"]
    names = [photo.name for photo in photos.find_photos([tmp_path / "b"])]
    assert names == ["1.png", "2.jpg"]


def test_find_photos_names_what_is_missing_or_ambiguous(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        photos.find_photos([tmp_path / "nowhere"])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.jpg").touch()
    with pytest.raises(photos.PhotoError, match=r"'1\.jpg'"):
        photos.find_photos([tmp_path / "a", tmp_path / "b"])


def test_names_of_lists_lead_nowhere_else(tmp_path):
    photo = tmp_path / "photos" / "a.png"
    photo.parent.mkdir()
    Image.fromarray(PIXELS).save(photo)
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "l.txt").write_text(f"{photo}\n../photos/a.png\n")
    found = photos.find_photos([lists / "l.txt"])
    names = {"photos/a.png", str(photo).removeprefix("/")}
    assert {file.name for file in found} == names
    assert all(file.path.resolve() == photo.resolve() for file in found)
