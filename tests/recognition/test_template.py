"""Five points of a face on ArcFace's template."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import SimilarityTransform

from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.recognition import template


def face_of(five: np.ndarray) -> np.ndarray:
    """68 landmarks with some five points; the others are of no matter."""
    points = np.full((68, 2), -1e3)
    points[36:42], points[42:48] = five[0], five[1]
    points[[30, 48, 54]] = five[2:]
    points[[36, 37]] += [[2, 1], [-2, -1]]  # the centre stays
    return points


@given(
    scale=st.floats(0.2, 8),
    turn=st.floats(-3.1, 3.1),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_moved_template_is_moved_back(scale, turn, shift):
    known = SimilarityTransform(scale=scale, rotation=turn, translation=shift)
    matrix = template.template_transform(face_of(known(template.TEMPLATE_XY)))
    inverse = np.linalg.inv(known.params)[:2]
    size = 1 / scale  # OpenCV's points are float32
    np.testing.assert_allclose(matrix[:, :2], inverse[:, :2], atol=1e-5 * size)
    np.testing.assert_allclose(matrix[:, 2], inverse[:, 2], atol=1e-2 * size)


def test_one_point_that_is_wrong_moves_nothing():
    wrong = template.TEMPLATE_XY.copy()
    wrong[2] += [30, -8]  # the nose tip of a profile
    matrix = template.template_transform(face_of(wrong))
    np.testing.assert_allclose(matrix, np.eye(2, 3), atol=1e-6)


def test_crops_have_the_face_where_the_template_has_it():
    photo = np.zeros((400, 300, 3), np.uint8)
    places = SimilarityTransform(scale=1.5, rotation=0.3, translation=(60, 90))
    five = places(template.TEMPLATE_XY)
    for x, y in np.rint(five).astype(int):
        photo[y - 4 : y + 5, x - 4 : x + 5] = 255
    crop = template.template_crop(photo, face_of(five))
    assert crop.shape == (112, 112, 3)
    for x, y in np.rint(template.TEMPLATE_XY).astype(int):
        assert crop[y, x].min() > 200
    assert crop[60, 30].max() == 0


@pytest.mark.parametrize(
    ("five", "message"),
    [
        (np.full((5, 2), np.nan), "not finite"),
        (np.full((5, 2), 7.0), "within 0.0 pixels"),
        (np.full((5, 2), np.inf), "not finite"),
    ],
)
def test_points_that_give_no_crop_are_refused(five, message):
    with pytest.raises(DegenerateFaceError, match=message):
        template.template_transform(face_of(five))
