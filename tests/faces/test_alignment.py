"""Crop geometry against closed forms and OpenCV."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.faces import alignment

SIZE = (220, 180)


def _face(rng: np.random.Generator) -> np.ndarray:
    """Landmarks whose anchors are CelebA's."""
    points = rng.uniform(40, 140, (68, 2))
    for part, anchor in zip(
        (slice(36, 42), slice(42, 48)), alignment.CELEBA_ANCHORS_XY[:2], strict=True
    ):
        points[part] += anchor - points[part].mean(0)
    points[[48, 54]] = alignment.CELEBA_ANCHORS_XY[2:]
    return points


@given(
    angle=st.floats(-3, 3),
    scale=st.floats(0.1, 20),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_transform_undoes_any_similarity(angle, scale, shift):
    points = _face(np.random.default_rng(0))
    turn = scale * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    matrix = alignment.celeba_transform(points @ turn.T + shift, alignment.CELEBA_SIZE)
    back = alignment.transform_points(matrix, points @ turn.T + shift)
    np.testing.assert_allclose(back, points, atol=1e-2)


def test_resize_transform_moves_pixel_centres_as_opencv_does():
    x = np.tile(np.arange(40, dtype=np.float32), (30, 1))
    resized = cv2.resize(x, (80, 90), interpolation=cv2.INTER_LINEAR)
    matrix = alignment.resize_transform((90, 80), (30, 40))
    places = alignment.transform_points(matrix, np.array([[10.0, 5], [50, 70]]))
    np.testing.assert_allclose(places[:, 0], resized[[5, 70], [10, 50]], atol=1e-3)


@given(seed=st.integers(0, 1000))
def test_crop_then_paste_gives_the_photo_back(seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 12, 3), np.uint8)
    photo = cv2.resize(small, (260, 240), interpolation=cv2.INTER_CUBIC)
    points = _face(rng) * 0.8 + 40
    matrix = alignment.celeba_transform(points, SIZE)
    crop = alignment.crop_photo(photo, matrix, SIZE)
    pasted = photo.copy()
    alignment.paste_crop(pasted, crop, np.ones(SIZE, np.float32), matrix)
    assert np.abs(pasted.astype(int) - photo).mean() < 1.0


def test_paste_leaves_pixels_alone_where_alpha_is_zero():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (240, 260, 3), np.uint8)
    matrix = alignment.celeba_transform(_face(rng), SIZE)
    crop = np.zeros((*SIZE, 3), np.uint8)
    pasted = photo.copy()
    alignment.paste_crop(pasted, crop, np.zeros(SIZE, np.float32), matrix)
    np.testing.assert_array_equal(pasted, photo)


def test_reduced_crops_do_not_alias():
    stripes = np.zeros((2400, 2000, 3), np.uint8)
    stripes[:, ::2] = 255
    points = _face(np.random.default_rng(0)) * 11
    crop = alignment.crop_photo(stripes, alignment.celeba_transform(points, SIZE), SIZE)
    assert np.abs(crop.astype(float) - 127.5).max() < 20  # 127 without a reduction


@pytest.mark.parametrize(
    ("points", "reason"),
    [(np.full((68, 2), 5.0), "within"), (np.full((68, 2), np.nan), "finite")],
)
def test_degenerate_landmarks_are_refused(points, reason):
    with pytest.raises(alignment.DegenerateFaceError, match=reason):
        alignment.celeba_transform(points, SIZE)


@given(x=st.floats(-300, 900), y=st.floats(-300, 700), turn=st.floats(-3, 3))
def test_reduced_crops_are_the_same_wherever_the_face_is(x, y, turn):
    """Against a photo that is continued by its mirror image beforehand."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (20, 30, 3), np.uint8)
    photo = cv2.resize(small, (600, 400), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(photo, 400, 400, 600, 600, cv2.BORDER_REFLECT)
    c, s = 0.3 * np.cos(turn), 0.3 * np.sin(turn)
    matrix = np.array([[c, s, -c * x - s * y], [-s, c, s * x - c * y]])
    shifted = alignment.compose(matrix, np.array([[1.0, 0, -600], [0, 1.0, -400]]))
    crop = alignment.crop_photo(photo, matrix, (60, 50)).astype(int)
    assert np.abs(crop - alignment.crop_photo(wide, shifted, (60, 50))).mean() < 2.5
