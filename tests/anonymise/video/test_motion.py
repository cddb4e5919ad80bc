"""Boxes carried by optical flow, against known motion of a picture or a part."""

import cv2
import numpy as np
import pytest

from anonygan_jax.anonymise.video.gaps import interpolated, moved
from anonygan_jax.anonymise.video.motion import HISTORY, Motion
from anonygan_jax.faces.face import Face

BOX = np.array([120, 80, 200, 170], np.float32)


def _texture(seed: int, size=(360, 640)) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(40, 220, (45, 80, 3), np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


def _warped(image: np.ndarray, growth: float, shift: tuple[float, float]) -> np.ndarray:
    matrix = np.array([[growth, 0, shift[0]], [0, growth, shift[1]]], float)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_WRAP)


@pytest.mark.parametrize(
    ("growth", "shift"), [(1, (7, -4)), (1.04, (0, 3)), (0.97, (5, 5)), (1, (0, 0))]
)
@pytest.mark.parametrize("zoom", [1, 2])
def test_a_box_moves_and_grows_as_its_picture_does(growth, shift, zoom):
    motion, image = Motion(), _texture(0)
    for shown in (image, _warped(image, growth, shift)):
        motion.add(cv2.resize(shown, None, fx=zoom, fy=zoom))
    expected = (BOX.reshape(2, 2) * growth + np.array(shift)).ravel()
    found = motion.carried(zoom * BOX)
    np.testing.assert_allclose(found, zoom * expected, atol=2.5 * zoom)
    back = motion.carried(found, 0, 1)
    np.testing.assert_allclose(back, zoom * BOX, atol=4 * zoom)


def test_a_part_that_moves_alone_is_followed_and_not_the_wall():
    motion, wall, part = Motion(), _texture(0), _texture(1, (110, 100))
    for left in (110, 118):
        shown = wall.copy()
        shown[70:180, left : left + 100] = part
        motion.add(shown)
    np.testing.assert_allclose(motion.carried(BOX), BOX + [8, 0, 8, 0], atol=1.5)


def test_a_flat_part_moves_with_the_picture():
    motion, image = Motion(), _texture(0)
    image[60:200, 90:230] = 128
    for shift in (0, 6):
        motion.add(_warped(image, 1, (shift, 0)))
    np.testing.assert_allclose(motion.carried(BOX), BOX + [6, 0, 6, 0], atol=2)


def test_nothing_carries_a_box_into_another_picture_or_a_forgotten_one():
    motion = Motion()
    motion.add(_texture(0))
    assert motion.carried(BOX) is None
    motion.add(_texture(5))
    assert motion.carried(BOX) is None
    for _ in range(2 * HISTORY):
        motion.add(_texture(5))
    assert len(motion) == HISTORY
    assert motion.carried(BOX, HISTORY) is None
    motion.forget()
    assert motion.carried(BOX) is None
    motion.add(_texture(5)[:100])  # another size, as in some streams
    assert motion.carried(BOX) is None


def test_a_box_has_left_where_little_of_it_is_in_the_picture():
    motion = Motion()
    motion.add(_texture(0))
    for left, is_outside in ((-70, True), (-40, False), (600, False), (632, True)):
        assert motion.is_outside(np.array([left, 0, left + 80, 90.0])) == is_outside


def _face(left: float) -> Face:
    points = np.full((68, 2), left + 20, np.float32)
    return Face(points, np.array([left, 0, left + 50, 50], np.float32), 0.5)


def test_short_gaps_are_interpolated_where_motion_agrees():
    gap = [(n, n / 10, _face(10.0 * n)) for n in (1, 2, 3)]
    before, after = (0, 0.0, _face(0.0)), (4, 0.4, _face(40.0))
    made = interpolated(before, gap, after) or []
    assert [face.points_xy[0, 0] for _, _, face in made] == [30, 40, 50]
    assert [(n, seconds) for n, seconds, _ in made] == [(1, 0.1), (2, 0.2), (3, 0.3)]
    away = [(n, n / 10, _face(90.0)) for n in (1, 2, 3)]
    assert interpolated(before, away, after) is None
    assert interpolated(before, gap[1:], after) is None


def test_landmarks_move_and_grow_with_their_box():
    face = Face(np.array([[10, 20], [30, 20]], np.float32), BOX, 0.5)
    new = moved(face, BOX * 2 + np.array([5, 7, 5, 7], np.float32))
    np.testing.assert_allclose(new.points_xy, [[25, 47], [65, 47]], atol=1e-4)
