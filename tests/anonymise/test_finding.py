"""Faces that dlib's detector misses are found; nothing is found where none is."""

import cv2
import numpy as np
import pytest

from anonygan_jax.anonymise.finding import FaceFinder
from anonygan_jax.anonymise.pipeline import NO_LANDMARKS, Anonymiser
from anonygan_jax.data.landmarks import DlibLandmarks
from anonygan_jax.methods import make_method


@pytest.fixture(scope="module")
def find() -> FaceFinder:
    return FaceFinder()


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


def test_small_faces_get_landmarks_by_a_closer_look(find, small_face, embedded):
    assert not DlibLandmarks().detect(small_face, num_upsamples=1)
    (face,), boxes_alone = find(small_face)
    assert not boxes_alone
    expected = embedded[0].points_xy * (40 / 220) + [200, 100]
    assert np.abs(face.points_xy - expected).mean() < 1
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    assert (low < face.points_xy[30]).all()
    assert (face.points_xy[30] < high).all()


def test_a_face_found_twice_is_one_face(find, group_photo):
    faces, boxes_alone = find(group_photo)
    assert len(faces) == 2
    assert not boxes_alone


def test_a_face_without_landmarks_is_covered(find, barred_face):
    faces, (alone,) = find(barred_face)
    assert not faces
    assert alone.points_xy.shape == (0, 2)
    result, (report,) = Anonymiser(make_method("warp"))(barred_face)
    assert report.covered_because == NO_LANDMARKS
    left, top, right, bottom = (int(v) for v in alone.box_xyxy)
    inside = result[top:bottom, left:right]
    before = barred_face[top:bottom, left:right]
    changed = (inside != before).any(-1)
    assert changed[(before != 30).any(-1)].mean() > 0.95  # all but the bar
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) < 100  # cells of one colour


def test_nothing_is_found_in_noise_and_tiny_pictures(find):
    noise = np.random.default_rng(0).integers(0, 256, (120, 200, 3)).astype(np.uint8)
    for picture in (noise, np.zeros((300, 200, 3), np.uint8), noise[:1, :1]):
        faces, boxes_alone = find(picture)
        assert not faces
        assert not boxes_alone
