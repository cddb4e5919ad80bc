"""Small, turned and overlapping faces are found, each once."""

import numpy as np
import pytest

from anonygan_jax.detection import make_detector, searches
from anonygan_jax.detection.copies import turned, turned_back
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.detection.merging import ious, matches
from anonygan_jax.detection.searches import TURNED_SCORE
from benchmarks.planted_faces import face_box, pair, portrait


@pytest.fixture(scope="module")
def find() -> FaceDetector:
    return make_detector()


@pytest.mark.parametrize(
    ("widths", "iou"), [((90, 90), 0.2), ((126, 90), 0.3), ((360, 90), 0.05)]
)
def test_a_face_before_another_is_found_and_so_is_the_other(
    find, embedded, widths, iou
):
    image, true = pair((embedded[0], embedded[100]), 700, widths, iou, 0.5)
    found = np.array([face.box_xyxy for face in find.boxes(image)])
    assert len(found) == 2
    assert len(matches(ious(true, found))) == 2


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize(("side", "width"), [(300, 24), (900, 90), (500, 450)])
def test_faces_in_a_turned_picture_are_those_of_the_upright_one(
    find, embedded, side, width, turns
):
    image, points = portrait(embedded[3], side, width)
    image = turned(image, 4 - turns)
    (found,) = find.boxes(image)
    assert found.turns == turns
    assert found.roll == pytest.approx(np.angle(1j**turns), abs=0.3) or turns == 2
    there = find.face(image, found).points_xy
    x, y = (points - (side - 1) / 2).T
    expected = [(-y, x), (-x, -y), (y, -x)][turns - 1]
    apart = there - (np.stack(expected, -1) + (side - 1) / 2)
    assert np.linalg.norm(apart, axis=-1).mean() < 0.05 * width


def test_small_pictures_give_the_same_faces_in_all_turns(find, group_photo):
    upright = [face.box_xyxy for face in find.boxes(group_photo)]
    for turns in (1, 2, 3):
        copy = turned(group_photo, turns)
        boxes = [[*f.box_xyxy, 0, 0] for f in find.boxes(copy)]
        back = turned_back(np.array(boxes), turns, group_photo.shape)[:, :4]
        assert len(matches(ious(np.array(upright), back))) == len(upright) == len(back)
        best = ious(np.array(upright), back).max(1)
        assert best.min() > 0.95


@pytest.mark.parametrize("degrees", [90, 150])
def test_small_turned_faces_of_large_pictures_have_landmarks(find, embedded, degrees):
    image, points = portrait(embedded[70], 1280, 26, degrees)
    (found,) = find.boxes(image)
    apart = find.face(image, found).points_xy - points
    assert np.linalg.norm(apart, axis=-1).mean() < 0.1 * 26


@pytest.mark.parametrize("degrees", [0, 30, 225])
def test_faces_of_twelve_pixels_are_found(find, embedded, degrees):
    image, _ = portrait(embedded[5], 400, 12, degrees)
    (found,) = find.boxes(image)
    true = face_box((200, 200), 12, degrees)
    assert ious(found.box_xyxy[None], true[None])[0, 0] > 0.5


@pytest.mark.parametrize(("width", "degrees"), [(16, 90), (20, 180), (30, 270)])
def test_searches_between_full_ones_find_turned_faces_from_16_pixels(
    find, embedded, width, degrees
):
    image, _ = portrait(embedded[5], 640, width, degrees)
    image[:300, :300] = portrait(embedded[9], 300, 120)[0]
    found = np.array([face.box_xyxy for face in find.boxes(image, is_full=False)])
    true = face_box((320, 320), width, degrees)
    assert len(found) == 2
    assert ious(found, true[None]).max() > 0.5


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_photos_show_small_turned_faces_beside_large_upright_ones(
    find, embedded, degrees
):
    image, _ = portrait(embedded[5], 1600, 26, degrees)
    image[:700, :700] = portrait(embedded[9], 700, 250)[0]
    found = np.array([face.box_xyxy for face in find(image)])
    true = face_box((800, 800), 26, degrees)
    assert len(found) == 2
    assert ious(found, true[None]).max() > 0.5


def test_turned_faces_of_photos_count_from_a_low_score(find, embedded, monkeypatch):
    image, _ = portrait(embedded[0], 1600, 20, 180)
    image[:700, :700] = portrait(embedded[20], 700, 250)[0]
    upright, small = find.boxes(image, every_turn=True)
    assert (upright.turns, small.turns) == (0, 2)
    assert TURNED_SCORE < small.score < 0.6
    monkeypatch.setattr(searches, "TURNED_SCORE", 0.6)
    assert len(find.boxes(image, every_turn=True)) == 1


def test_a_quick_search_finds_the_faces_of_its_turns(find, embedded):
    image = turned(portrait(embedded[9], 1000, 60)[0], 1)
    (thorough,) = find.boxes(image)
    (quick,) = find.quick_boxes(image, (thorough.turns,))
    assert ious(quick.box_xyxy[None], thorough.box_xyxy[None])[0, 0] > 0.8
    assert quick.turns == thorough.turns == 3


def test_small_faces_of_panoramas_are_found(find, embedded):
    image = np.full((300, 6000, 3), 200, np.uint8)
    image[:, 300:600] = portrait(embedded[3], 300, 150)[0]
    face, points = portrait(embedded[70], 300, 40)
    image[:, 5500:5800] = face
    left, right = sorted(find(image), key=lambda found: found.box_xyxy[0])
    assert 300 < left.box_xyxy[0] < left.box_xyxy[2] < 600
    apart = right.points_xy - (points + [5500, 0])
    assert np.linalg.norm(apart, axis=-1).mean() < 4
    assert len(find.boxes(image)) == 2  # as a frame of a video is searched
