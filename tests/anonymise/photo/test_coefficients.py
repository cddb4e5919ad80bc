"""JPEG blocks without a change keep their coefficients."""

import io

import cv2
import jpeglib
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from anonygan_jax.anonymise.photo.image_io import open_image
from anonygan_jax.anonymise.photo.writing import Changed, write_image

RNG = np.random.default_rng(0)
PICTURE = cv2.GaussianBlur(RNG.integers(0, 256, (203, 301, 3), np.uint8), (0, 0), 4)
PICTURE = cv2.normalize(PICTURE, None, 0, 255, cv2.NORM_MINMAX)
FACE = np.s_[50:110, 70:150]


def _jpeg(image=PICTURE, mode="RGB", **settings):
    content = io.BytesIO()
    Image.fromarray(image).convert(mode).save(content, "JPEG", **settings)
    return content.getvalue()


def _sampled(name):
    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}")
    settings = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    return cv2.imencode(".jpg", PICTURE, settings)[1].tobytes()


def _arithmetic(tmp_path):
    (tmp_path / "x.jpg").write_bytes(_jpeg())
    jpeglib.version.set("turbo210")
    jpeg = jpeglib.read_dct(tmp_path / "x.jpg")
    jpeg.write_dct(str(tmp_path / "y.jpg"), flags=["+ARITH_CODE"])
    return (tmp_path / "y.jpg").read_bytes()


SOURCES = {
    "4:4:4": lambda _: _jpeg(subsampling=0, quality=90),
    "4:2:2": lambda _: _jpeg(subsampling=1, quality=60),
    "4:2:0": lambda _: _jpeg(subsampling=2),
    "4:1:1": lambda _: _sampled("411"),
    "4:4:0": lambda _: _sampled("440"),
    "progressive": lambda _: _jpeg(progressive=True),
    "arithmetic": _arithmetic,
    "grey": lambda _: _jpeg(mode="L"),
}


def _changed(_, image_u8):
    changed = image_u8.copy()
    changed[FACE] = (30, 90, 160)
    return Changed(changed)


@pytest.mark.parametrize("kind", SOURCES)
def test_coefficients_outside_the_changed_blocks_are_the_sources(tmp_path, kind):
    source, out = tmp_path / "a.jpg", tmp_path / "b.jpg"
    source.write_bytes(SOURCES[kind](tmp_path))
    write_image(out, open_image(source), _changed)
    before, after = jpeglib.read_dct(source), jpeglib.read_dct(out)
    np.testing.assert_array_equal(after.samp_factor, before.samp_factor)
    np.testing.assert_array_equal(after.qt, before.qt)
    high, wide = (8 * before.samp_factor.max(0)).tolist()
    for name, (v, h) in zip(("Y", "Cb", "Cr"), before.samp_factor, strict=False):
        one, other = getattr(before, name), getattr(after, name)
        is_same = (one == other).all((2, 3))
        rows, columns = np.indices(is_same.shape)
        top, left = rows // v * high, columns // h * wide
        touched = (top < 110) & (top + high > 50) & (left < 150) & (left + wide > 70)
        assert is_same[~touched].all()
        assert not is_same[touched].all()
    shown = np.asarray(Image.open(out).convert("RGB"))[64:96, 80:140]
    wanted = cv2.cvtColor(np.uint8([[[30, 90, 160]]]), cv2.COLOR_RGB2GRAY)[0, 0]
    wanted = wanted if kind == "grey" else (30, 90, 160)
    assert np.abs(shown.astype(int) - wanted).mean() < 8


@pytest.mark.parametrize("kind", SOURCES)
def test_a_copy_has_the_same_picture_and_nothing_after_it(tmp_path, kind):
    content = SOURCES[kind](tmp_path)
    (tmp_path / "a.jpg").write_bytes(content + b"\0\0\0\x18ftypmp42 moov SECRET")
    photo = open_image(tmp_path / "a.jpg")
    assert photo.note == "the video in it is left out"
    write_image(tmp_path / "b.jpg", photo, lambda _, image_u8: Changed(image_u8))
    assert b"SECRET" not in (tmp_path / "b.jpg").read_bytes()
    shown = [np.asarray(Image.open(tmp_path / f"{n}.jpg")) for n in "ab"]
    np.testing.assert_array_equal(*shown)


@pytest.mark.parametrize("kind", ["CMYK", "RGB itself"])
def test_others_are_encoded_anew_and_look_the_same(tmp_path, kind):
    if kind == "CMYK":
        content = _jpeg(mode="CMYK", quality=90)
    else:
        content = _jpeg(keep_rgb=True, quality=90)
    (tmp_path / "a.jpg").write_bytes(content)
    write_image(tmp_path / "b.jpg", open_image(tmp_path / "a.jpg"), _changed)
    one, other = (
        np.asarray(Image.open(tmp_path / f"{n}.jpg").convert("RGB"))[:, 160:]
        for n in "ab"
    )
    assert structural_similarity(one, other, channel_axis=-1) >= 0.995
