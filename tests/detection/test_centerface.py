"""The network's maps as boxes, against boxes that were drawn into maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.detection.centerface import CenterFace, decode
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.merging import ious
from benchmarks.planted_faces import face_box, portrait

box = st.tuples(*(st.floats(5, 150) for _ in range(2)), *(st.floats(2, 60),) * 2)


@given(box=box, score=st.floats(0.4, 1), turn=st.floats(-3, 3))
def test_a_box_drawn_into_the_maps_comes_back(box, score, turn):
    x, y, width, height = box
    scores = np.zeros((40, 40))
    size, offset = np.zeros((2, 2, 40, 40))
    row, column = int(y // 4), int(x // 4)
    scores[row, column] = score
    size[:, row, column] = np.log([height / 4, width / 4])
    offset[:, row, column] = y / 4 - row - 0.5, x / 4 - column - 0.5
    points = np.zeros((10, 40, 40))
    points[[3, 2], row, column] = np.cos(turn) / width, np.sin(turn) / height
    ((left, top, right, bottom, found, turned),) = decode(
        scores, size, offset, points, 0.3
    )
    assert turned == pytest.approx(turn, abs=1e-4)
    assert found == pytest.approx(score)
    assert (left + right) / 2 == pytest.approx(x, abs=1e-3)
    assert (top + bottom) / 2 == pytest.approx(y, abs=1e-3)
    assert right - left == pytest.approx(width, rel=1e-4)
    assert bottom - top == pytest.approx(height, rel=1e-4)


def test_of_boxes_that_overlap_the_surest_stays():
    scores = np.zeros((20, 20))
    scores[5, 5], scores[5, 6], scores[15, 15], scores[2, 2] = 0.6, 0.9, 0.7, 0.2
    size = np.full((2, 20, 20), np.log(5.0))
    points = np.zeros((10, 20, 20))
    found = decode(scores, size, np.zeros((2, 20, 20)), points, 0.3)
    assert found[:, 4] == pytest.approx([0.9, 0.7])
    assert decode(scores * 0, size, size, points, 0.3).shape == (0, 6)


def test_boxes_of_a_face_half_before_another_stay():
    scores = np.zeros((40, 40))
    scores[20, 20], scores[20, 24] = 0.9, 0.8
    size = np.full((2, 40, 40), np.log(11.0))
    none = np.zeros((2, 40, 40))
    found = decode(scores, size, none, np.zeros((10, 40, 40)), 0.3)
    assert found[:, 4] == pytest.approx([0.9, 0.8])  # they overlap by 7 of 15


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
@pytest.mark.parametrize("side", [160, 700, 2000])
def test_a_close_up_has_one_box_in_the_right_place(embedded, side, share):
    image, _ = portrait(embedded[7], side, share * side)
    (found,) = CenterFace().boxes(image)
    true = face_box((side / 2, side / 2), share * side)
    assert np.abs(found[:4] - true).max() < 0.12 * share * side


def test_noise_in_which_the_usual_copy_shows_no_face(embedded):
    rng = np.random.default_rng(0)
    image, _ = portrait(embedded[7], 640, 100)
    noisy = np.clip(image + rng.normal(0, 110, image.shape), 0, 255).astype(np.uint8)
    (found,) = CenterFace().boxes(noisy)
    assert ious(found[None, :4], face_box((320, 320), 100)[None]) > 0.6


@pytest.mark.parametrize("scale", [1, 7])
def test_boxes_lie_where_dlib_finds_the_faces(group_photo, scale):
    photo = np.repeat(np.repeat(group_photo, scale, 0), scale, 1)
    found = CenterFace().boxes(photo)
    faces = DlibLandmarks().detect(group_photo)
    assert len(found) == len(faces) == 2
    for face in faces:
        nose = scale * face.points_xy[30]
        (inside,) = [b for b in found if (b[:2] < nose).all() and (nose < b[2:4]).all()]
        jaw = scale * (face.points_xy[16, 0] - face.points_xy[0, 0])
        assert inside[2] - inside[0] == pytest.approx(jaw, rel=0.25)


def test_a_threshold_is_a_share():
    with pytest.raises(ValueError, match="between 0 and 1"):
        CenterFace(1.5)


def test_only_the_finest_copy_shows_small_faces_and_no_large_ones(embedded):
    photo = np.full((700, 1280, 3), 128, np.uint8)
    photo[:, :700] = portrait(embedded[7], 700, 450)[0]
    photo[200:360, 1000:1160] = portrait(embedded[20], 160, 40)[0]
    true = np.stack([face_box((350, 350), 450), face_box((1080, 280), 40)])
    for fine_only, expected in ((False, [True, True]), (True, [False, True])):
        found = CenterFace().boxes(photo, fine_only)
        assert len(found) == sum(expected)
        assert list(ious(true, found).max(1) > 0.6) == expected
