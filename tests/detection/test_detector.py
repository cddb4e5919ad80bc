"""Faces that dlib's detector misses are found; nothing is found where none is."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.results import NO_LANDMARKS
from anonygan_jax.detection import DETECTORS, make_detector
from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.detector import SURE_SCORE, Detection, FaceDetector
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.face_mesh import FaceMesh
from anonygan_jax.detection.searches import TILE, TILE_OVERLAP, tile_starts


@pytest.fixture(scope="module")
def find() -> FaceDetector:
    return make_detector()


@pytest.fixture(scope="module")
def small_face(embedded) -> np.ndarray:
    """A face of 20 pixels from brows to chin in a larger photo."""
    photo = np.full((300, 400, 3), 150, np.uint8)
    size = (33, 40)
    photo[100:140, 200:233] = cv2.resize(
        embedded[0].image, size, interpolation=cv2.INTER_AREA
    )
    return photo


@pytest.fixture(scope="module")
def barred_face(embedded) -> np.ndarray:
    """A face with a bar across the eyes."""
    photo, eyes = embedded[0].image.copy(), embedded[0].points_xy[36:48, 1]
    photo[int(eyes.min()) - 12 : int(eyes.max()) + 12] = 30
    return photo


def test_small_faces_get_landmarks(find, small_face, embedded):
    assert not DlibLandmarks().detect(small_face, num_upsamples=1)
    (face,) = find(small_face)
    expected = embedded[0].points_xy * (40 / 220) + [200, 100]
    assert np.abs(face.points_xy - expected).mean() < 1
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    assert (low < face.points_xy[30]).all()
    assert (face.points_xy[30] < high).all()


def test_faces_below_a_size_are_passed_over(small_face):
    assert make_detector(min_face=60)(small_face) == []
    assert len(make_detector(min_face=10)(small_face)) == 1


def test_a_face_that_two_detectors_find_is_one_face(group_photo):
    find = make_detector(("dlib", "centerface"))
    assert len(find(group_photo)) == 2


class Told:
    """Detector of known boxes in a picture whose first pixel is white."""

    def __init__(self, *boxes):
        self._boxes = [(*box, 0.9, 0.0) for box in boxes]

    def boxes(self, image_u8, fine_only=False):
        scale = image_u8.shape[0] / 200
        told = self._boxes if image_u8[0, 0, 0] == 255 else []
        return np.array(told, np.float32).reshape(-1, 6) * ([scale] * 4 + [1, 1])


def test_a_small_face_before_a_large_one_is_a_face_of_its_own():
    large, small, again = (0, 0, 100, 120), (40, 60, 70, 95), (5, -4, 96, 124)
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:3, :3] = 255
    for detectors in ([Told(large, small)], [Told(large), Told(again, small)]):
        found = FaceDetector(detectors, FaceMesh()).boxes(picture)
        assert {tuple(f.box_xyxy) for f in found} == {large, small}


@given(shift=st.integers(4, 99), second=st.booleans())
def test_two_faces_of_one_detector_stay_two(shift, second):
    faces = (10, 10, 100, 120), (10 + shift, 10, 100 + shift, 120)
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:3, :3] = 255
    detectors = [Told(*faces)] + second * [Told(*faces[::-1])]
    found = FaceDetector(detectors, FaceMesh()).boxes(picture)
    assert sorted(tuple(f.box_xyxy) for f in found) == sorted(faces)


@given(roll=st.floats(-np.pi, np.pi))
def test_turns_are_the_nearest_to_the_roll(roll):
    turns = Detection(np.zeros(4, np.float32), roll=roll).turns
    assert turns in range(4)
    assert np.cos(roll - turns * np.pi / 2) > np.sqrt(0.5) - 1e-6


@pytest.mark.parametrize(
    "detector",
    ["dlib", "mtcnn", "centerface", pytest.param("dlib_cnn", marks=pytest.mark.slow)],
)
def test_every_detector_has_the_same_idea_of_a_box(group_photo, detector):
    boxes = DETECTORS[detector]().boxes(group_photo)
    assert boxes.shape == (2, 6)
    for face in DlibLandmarks().detect(group_photo):
        middle = face.points_xy.mean(0)
        (box,) = [b for b in boxes if centres_overlap(b[:4], np.tile(middle, 2))]
        assert np.abs((box[:2] + box[2:4]) / 2 - middle).max() < 30
        jaw = face.points_xy[16, 0] - face.points_xy[0, 0]
        assert 0.7 * jaw < box[2] - box[0] < 1.5 * jaw


def test_tiles_show_faces_that_are_too_small_in_the_whole(small_face):
    photo = np.full((1200, 2400, 3), 150, np.uint8)
    places = [(200, 300), (640, 1120), (1100, 2280)]  # some on the tiles' borders
    for top, left in places:
        photo[top : top + 40, left : left + 33] = small_face[100:140, 200:233]
    found = make_detector(use_tiles=True)(photo)
    assert len(found) == 3
    for top, left in places:
        where = np.array([left, top, left + 33, top + 40], np.float32)
        assert sum(centres_overlap(face.box_xyxy, where) for face in found) == 1
    assert len(make_detector()(photo)) < 3


@given(length=st.integers(1, 20_000))
def test_tiles_cover_a_side_and_overlap(length):
    starts = tile_starts(length)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - TILE)
    assert all(0 < b - a <= TILE - TILE_OVERLAP for a, b in itertools.pairwise(starts))


def test_unknown_names_are_reported():
    with pytest.raises(ValueError, match="unknown detector or landmarks yolo"):
        make_detector(("yolo",))
    with pytest.raises(ValueError, match="unknown detector or landmarks none"):
        make_detector(())


def test_a_face_without_landmarks_is_pixelated(barred_face):
    find = make_detector(landmarks="dlib")
    (alone,) = find(barred_face)
    assert alone.points_xy.shape == (0, 2)
    result = Anonymiser("warp", detector=find)(barred_face)
    (report,) = result.faces
    assert (report.status, report.reason) == ("pixelated", NO_LANDMARKS)
    left, top, right, bottom = (int(v) for v in alone.box_xyxy)
    inside = result.image[top:bottom, left:right]
    before = barred_face[top:bottom, left:right]
    changed = (inside != before).any(-1)
    assert changed[(before != 30).any(-1)].mean() > 0.95  # all but the bar
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) < 100  # cells of one colour


def test_a_face_wider_than_its_photo_has_no_landmarks(find, embedded):
    """They would lie beside the eyes; all of the photo is pixelated."""
    face = embedded[0]
    low, high = face.points_xy.min(0).astype(int), face.points_xy.max(0).astype(int)
    left, right = low[0] + 20, high[0] - 20
    photo = cv2.resize(face.image[low[1] - 10 : high[1] + 10, left:right], (700, 1000))
    box = np.array([-60, -20, 740, 1030], np.float32)
    assert not len(find.face(photo, Detection(box)).points_xy)
    small = np.array([20, 20, 680, 960], np.float32)
    assert len(find.face(photo, Detection(small)).points_xy)


def test_a_face_that_may_be_upright_gets_no_landmarks_of_a_turned_one(find, embedded):
    """Some upright faces are found upside down, with a low score."""
    photo = embedded[0].image
    (found,) = find.boxes(photo)
    for score, roll, num_points in (
        (SURE_SCORE - 0.05, np.pi, 0),
        (SURE_SCORE - 0.05, 0.0, 68),
        (SURE_SCORE, 0.0, 68),
        (SURE_SCORE, np.pi, 68),
    ):
        face = find.face(photo, Detection(found.box_xyxy, score, roll))
        assert len(face.points_xy) == num_points


def test_nothing_is_found_in_noise_and_tiny_pictures(find):
    noise = np.random.default_rng(0).integers(0, 256, (120, 200, 3)).astype(np.uint8)
    for picture in (noise, np.zeros((300, 200, 3), np.uint8), noise[:1, :1]):
        assert find(picture) == []
