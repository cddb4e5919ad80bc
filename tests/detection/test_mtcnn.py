"""The second detector, on composites and where there is nothing."""

import sys

import numpy as np
import pytest

from anonygan_jax.detection import mtcnn
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.io import extras


@pytest.mark.slow  # TensorFlow
def test_mtcnn_finds_the_faces_that_dlib_finds(group_photo):
    boxes = mtcnn.Mtcnn().boxes(group_photo)
    faces = DlibLandmarks().detect(group_photo, num_upsamples=1)
    assert len(boxes) == len(faces) == 2
    for face in faces:
        nose = face.points_xy[30]
        assert any((box[:2] < nose).all() and (nose < box[2:4]).all() for box in boxes)


@pytest.mark.slow  # TensorFlow
def test_an_observer_asks_it_about_original_and_result(group_photo):
    observer = FaceObserver(use_mtcnn=True)
    original = observer.original(group_photo)
    assert original.detected_by_mtcnn
    assert original.mtcnn_box.shape == (4,)
    gone = observer.result(np.full_like(group_photo, 128), original)
    assert gone.detected_by_mtcnn is False
    assert gone.mtcnn_box is None


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mtcnn", None)
    with pytest.raises(extras.MissingPackage, match=r"anonygan_jax\[evaluation\]"):
        mtcnn.Mtcnn()
