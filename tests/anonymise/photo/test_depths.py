"""Depths and modes of photos come back, and pixels that do not change, bit for bit."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from anonygan_jax.anonymise.photo.image_io import open_image
from anonygan_jax.anonymise.photo.writing import Changed, write_image

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (40, 60, 4), np.uint16)
INSIDE = np.s_[8:20, 8:30]


def _blackened(_: int, image_u8: np.ndarray) -> Changed:
    changed = image_u8.copy()
    changed[INSIDE] = (200, 10, 60)
    return Changed(changed)


def _result(path):
    out = path.parent / "out" / path.name
    write_image(out, open_image(path), _blackened)
    return out


def _check_outside(before, after):
    assert after.dtype == before.dtype
    assert after.shape == before.shape
    outside = np.ones(before.shape[:2], bool)
    outside[INSIDE] = False
    np.testing.assert_array_equal(after[outside], before[outside])
    assert (after[INSIDE] != before[INSIDE]).any(-1).mean() > 0.9


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colours_of_sixteen_bits(tmp_path, suffix, channels):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(cv2.imencode(suffix, DEEP[..., :channels])[1].tobytes())
    read = [cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in (path, _result(path))]
    _check_outside(*read)


@pytest.mark.parametrize("most", [65535, 4095])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_sixteen_bits(tmp_path, suffix, most):
    grey = DEEP[..., 0] & np.uint16(most)
    grey[0, 0] = most
    Image.fromarray(grey).save(tmp_path / f"a{suffix}")
    path = tmp_path / f"a{suffix}"
    (page,) = open_image(path).pages()
    assert page.view().max() == 255
    with Image.open(_result(path)) as result:
        assert result.mode == "I;16"
        after = np.array(result)
    _check_outside(grey[..., None], after[..., None])
    assert after.max() <= most


def test_a_grey_photo_stays_grey(tmp_path):
    grey = DEEP[..., 0].astype(np.uint8)
    for name, image in (
        ("a.png", Image.fromarray(grey)),
        ("a.jpg", Image.fromarray(grey)),
        ("la.png", Image.fromarray(np.dstack([grey, grey]))),
        ("rgb.png", Image.fromarray(np.dstack([grey] * 3))),
        ("p.png", Image.fromarray(grey).convert("P")),
        ("one.png", Image.fromarray(grey).convert("1")),
    ):
        image.save(tmp_path / name)
        with Image.open(_result(tmp_path / name)) as result:
            wanted = {"p.png": "RGB", "one.png": "L"}.get(name, image.mode)
            assert result.mode == wanted, name
            colours = np.asarray(result.convert("RGB")).astype(int)
        assert (colours.max(-1) == colours.min(-1)).all(), name


def test_a_palette_becomes_what_shows_the_same(tmp_path):
    colours = Image.fromarray(DEEP[..., :3].astype(np.uint8)).quantize(16)
    colours.info["transparency"] = 3
    colours.save(tmp_path / "a.png")
    before = np.asarray(Image.open(tmp_path / "a.png").convert("RGBA"))
    _check_outside(before, np.asarray(Image.open(_result(tmp_path / "a.png"))))


def test_every_page_of_a_tiff_is_done_in_its_own_mode(tmp_path):
    pages = [DEEP[..., :3], DEEP[..., 0], DEEP[..., 1].astype(np.uint8)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for dpi, page in zip((100, 200, 300), pages, strict=True):
            kind = "rgb" if page.ndim == 3 else "minisblack"
            unit = {"resolution": (dpi, dpi), "resolutionunit": "INCH"}
            file.write(page, photometric=kind, metadata=None, **unit)
    out = _result(tmp_path / "a.tif")
    with tifffile.TiffFile(out) as file:
        assert len(file.pages) == 3
        for dpi, before, page in zip((100, 200, 300), pages, file.pages, strict=True):
            after = page.asarray()
            _check_outside(np.atleast_3d(before), np.atleast_3d(after))
            assert page.get_resolution("INCH") == (dpi, dpi)


def test_no_low_bits_are_left_in_a_hidden_face(tmp_path):
    """A shadow that eight bits do not show may show a face."""
    shadow = np.full((40, 60), 65535, np.uint16)
    shadow[INSIDE] = RNG.integers(0, 200, (12, 22))
    Image.fromarray(shadow).save(tmp_path / "a.png")
    change = Changed
    out = tmp_path / "b.png"
    write_image(
        out, open_image(tmp_path / "a.png"), lambda _, x: change(x, ((8, 8, 30, 20),))
    )
    assert not np.asarray(Image.open(out))[INSIDE].any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pixels_stay_as_stored_with_their_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    before = DEEP[..., :3].astype(np.uint8)
    Image.fromarray(before).save(tmp_path / "a.png", exif=exif)

    def change(_, image_u8):
        assert image_u8.shape == ((60, 40, 3) if orientation > 4 else (40, 60, 3))
        changed = image_u8.copy()
        changed[:5, :5] = 255 - changed[:5, :5]
        return Changed(changed)

    write_image(tmp_path / "b.png", open_image(tmp_path / "a.png"), change)
    with Image.open(tmp_path / "b.png") as result:
        assert result.getexif().get(0x0112, 1) == orientation
        assert (np.asarray(result) != before).any(-1).sum() == 25
