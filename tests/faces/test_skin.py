"""Skin: where it is and its colour."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anonygan_jax.faces import skin


def test_skin_is_the_face_without_its_features(embedded):
    face = embedded[0]
    mask = skin.skin_mask(face.points_xy, face.image.shape)
    x, y = np.rint(face.points_xy).astype(int).T
    assert mask[y[2] - 10, x[2] + 14]  # a cheek
    assert mask[(y[21] + y[27]) // 2, (x[21] + x[22]) // 2]  # between the brows
    for inside in (37, 44, 19, 24, 51, 57):
        assert not mask[y[inside], x[inside]]
    assert not mask[0].any()


def test_colours_are_cie_lab():
    # Values of the sRGB primaries under D65, as tabulated by Lindbloom.
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [255, 255, 255]]], np.uint8)
    expected = [[53.24, 80.09, 67.20], [87.74, -86.18, 83.18], [100, 0, 0]]
    np.testing.assert_allclose(skin.to_lab(primaries)[0], expected, atol=0.3)


def test_the_colour_is_the_median_and_unknown_outside(embedded):
    points = embedded[0].points_xy
    image = np.full(embedded[0].image.shape, (200, 150, 120), np.uint8)
    image[: len(image) // 2 + 10, ::3] = 255
    colour = skin.skin_colour(image, points)
    expected = skin.to_lab(np.full((1, 1, 3), (200, 150, 120), np.uint8))[0, 0]
    np.testing.assert_allclose(colour, expected, atol=0.1)
    assert np.isnan(skin.skin_colour(image, points + 1000)).all()


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.just(3))))
def test_medians_are_numpy_s(values):
    median, spread = skin.median_and_mad(values)
    np.testing.assert_array_equal(median, np.median(values, axis=0))
    expected = np.median(np.abs(values - median), axis=0)
    np.testing.assert_array_equal(spread, np.maximum(expected, 1e-3))
