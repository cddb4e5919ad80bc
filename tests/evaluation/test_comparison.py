"""A photo before and after."""

import numpy as np
import pytest

from anonygan_jax.data.landmarks import DlibLandmarks
from anonygan_jax.evaluation.comparison import Comparer, face_at


@pytest.fixture(scope="module")
def comparer() -> Comparer:
    return Comparer()


def test_the_same_photo_is_the_same_face(comparer, group_photo):
    faces = DlibLandmarks().detect(group_photo, num_upsamples=1)
    for face in faces:
        same = comparer(group_photo, face, group_photo)
        assert same.detected
        assert same.descriptor_distance == pytest.approx(0, abs=1e-4)
        assert same.pose_l2 == same.pose_l1 == 0


def test_another_face_beside_it_is_not_the_face(comparer, group_photo):
    faces = DlibLandmarks().detect(group_photo, num_upsamples=1)
    left = min(faces, key=lambda face: face.box_xyxy[0])
    assert face_at(faces, left) is left
    hidden = group_photo.copy()
    hidden[:, :240] = 128
    gone = comparer(group_photo, left, hidden)
    assert not gone.detected
    assert gone.descriptor_distance > 0.6
    assert np.isnan(gone.pose_l2)
    assert np.isnan(gone.pose_l1)


def test_a_moved_face_has_moved_landmarks(comparer, group_photo):
    face = DlibLandmarks().detect(group_photo, num_upsamples=1)[0]
    moved = comparer(group_photo, face, np.roll(group_photo, 4, axis=1))
    eyes = np.linalg.norm(face.points_xy[45] - face.points_xy[36])
    assert moved.pose_l2 == pytest.approx(4 / eyes, rel=0.3)
    assert moved.descriptor_distance < 0.3
