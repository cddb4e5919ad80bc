"""The floor: an original with a black patch, measured as a result is."""

import numpy as np
from skimage.draw import polygon2mask

from anonygan_jax.evaluation.collect.photo import black_patch


def test_a_patch_is_black_inside_its_corners_alone():
    image = np.full((60, 50, 3), 200, np.uint8)
    corners = np.array([[10.2, 8], [40, 12.4], [36, 50], [14, 44]])
    patched = black_patch(image, corners)
    assert (image == 200).all()
    inside = polygon2mask((60, 50), corners[:, ::-1])
    black = (patched == 0).all(-1)
    assert black[inside].mean() > 0.99
    grown = polygon2mask((60, 50), (corners - 25)[:, ::-1] * 1.1 + 25)
    assert not black[~grown & ~inside].any()
    assert set(np.unique(patched)) == {0, 200}


def test_a_patch_may_leave_the_photo():
    image = np.full((20, 20, 3), 9, np.uint8)
    corners = np.array([[-30.0, -30], [50, -30], [50, 50], [-30, 50]])
    assert not black_patch(image, corners).any()
