"""A photo before and after, as the evaluation sees it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.evaluation.collect.comparison import background_similarity, compare
from anonygan_jax.evaluation.collect.observation import (
    FaceObserver,
    Observation,
    face_at,
)
from anonygan_jax.faces.expression import eye_openness
from anonygan_jax.faces.face import Face


@pytest.fixture(scope="module")
def observer() -> FaceObserver:
    return FaceObserver(use_mtcnn=False)


@pytest.fixture(scope="module")
def original(observer, group_photo) -> Observation:
    return observer.original(group_photo)


def test_the_same_photo_is_the_same_face(observer, original, group_photo):
    same = compare(original, observer.result(group_photo, original), 1.0)
    assert same.detected
    assert same.detected_by_mtcnn is None
    assert same.descriptor_distance == pytest.approx(0, abs=1e-4)
    for name in ("pose_l2", "pose_l1", "yaw", "pitch", "roll", "mouth", "eyes"):
        assert getattr(same, name) == 0
    assert len(original.face_boxes) == 2


def test_another_face_beside_it_is_not_the_face(observer, original, group_photo):
    left = original.box_xyxy[0] < 240
    hidden = group_photo.copy()
    hidden[:, slice(0, 240) if left else slice(240, None)] = 128
    faces = DlibLandmarks().detect(hidden, num_upsamples=1)
    assert len(faces) == 1
    assert face_at(faces, original.box_xyxy) is None
    gone = compare(original, observer.result(hidden, original), 1.0)
    assert not gone.detected
    assert gone.descriptor_distance > 0.6
    assert np.isnan([gone.pose_l2, gone.pose_l1, gone.yaw, gone.mouth]).all()
    assert np.isnan(gone.landmark_errors).all()


def test_of_several_the_nearest_face_is_the_face():
    place = np.array([60.0, 80, 180, 190])
    boxes = [[5, 105, 79, 179], [66, 107, 118, 159], [86, 86, 175, 176]]  # surest first
    faces = [Face(np.zeros((68, 2)), np.array(b, float), 3.0) for b in boxes]
    assert face_at(faces, place) is faces[2]
    assert face_at(faces[:2], place) is faces[1]
    assert face_at(faces[:1], place) is None


def test_a_moved_face_has_moved_landmarks(observer, original, group_photo):
    rolled = np.roll(group_photo, 4, axis=1)
    moved = compare(original, observer.result(rolled, original), 1.0)
    eyes = np.linalg.norm(original.points_xy[45] - original.points_xy[36])
    assert moved.pose_l2 == pytest.approx(4 / eyes, rel=0.3)
    assert moved.pose_l2 == pytest.approx(moved.landmark_errors.mean(), rel=1e-5)
    assert moved.descriptor_distance < 0.3
    assert moved.mouth < 0.03


def test_a_photo_without_a_face_has_no_observation(observer):
    assert observer.original(np.full((120, 100, 3), 90, np.uint8)) is None


def test_changes_count_outside_the_faces_alone(group_photo):
    changed = group_photo.copy()
    changed[100:200, 60:180] = 0
    box = np.array([[60.0, 100, 180, 200]])
    assert background_similarity(group_photo, changed, box) == pytest.approx(1)
    assert background_similarity(group_photo, changed, box[:0]) < 0.97
    everything = np.array([[0.0, 0, 480, 300]])
    assert np.isnan(background_similarity(group_photo, changed, everything))


@given(height=st.floats(0.5, 9), angle=st.floats(0, 6.3), scale=st.floats(0.5, 20))
def test_eye_openness_is_height_over_width(height, angle, scale):
    points = np.zeros((68, 2))
    eye = np.array([[0, 0], [2, -1], [4, -1], [6, 0], [4, 1], [2, 1]]) * [1, height / 2]
    points[36:42], points[42:48] = eye, eye + [9, 0]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert eye_openness(scale * points @ turn.T) == pytest.approx(height / 6)
