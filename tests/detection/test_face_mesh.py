"""The mesh's landmarks against dlib's, turned faces, and no face at all."""

import cv2
import numpy as np
import pytest

from anonygan_jax.detection import make_detector
from anonygan_jax.detection.face_mesh import FaceMesh, eye_frame, framing
from anonygan_jax.faces.alignment import transform_points


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


def _box(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points.min(0), points.max(0)])


def _apart(points: np.ndarray, expected: np.ndarray) -> float:
    width = np.linalg.norm(expected[45] - expected[36])
    return float(np.linalg.norm(points - expected, axis=-1).mean() / width)


def test_landmarks_lie_where_dlib_has_them(mesh, embedded):
    apart = [
        _apart(mesh.points(face.image, _box(face.points_xy)), face.points_xy)
        for face in embedded[::20]
    ]
    assert np.median(apart) < 0.022  # 0.032 for the vertices as they are
    assert max(apart) < 0.05


@pytest.mark.parametrize("degrees", [-140, -90, -50, 30, 80, 180])
def test_turned_faces_have_turned_landmarks(mesh, embedded, degrees):
    face = embedded[0]
    matrix = cv2.getRotationMatrix2D((90, 110), degrees, 0.6)
    turned = cv2.warpAffine(face.image, matrix, (180, 220), borderValue=(210,) * 3)
    expected = transform_points(matrix, face.points_xy)
    box, roughly = _box(expected), np.radians(-degrees + 15)
    assert _apart(mesh.points(turned, box, roughly), expected) < 0.05


@pytest.mark.parametrize("degrees", [-70, -30, 40, 75])
def test_turned_faces_are_found_and_replaced_in_their_place(embedded, degrees):
    face = embedded[0]
    matrix = cv2.getRotationMatrix2D((90, 110), degrees, 0.8)
    turned = cv2.warpAffine(face.image, matrix, (180, 220), borderValue=(210,) * 3)
    expected = transform_points(matrix, face.points_xy)
    for found in make_detector()(turned):
        if len(found.points_xy):  # else it is covered
            assert _apart(found.points_xy, expected) < 0.06


def test_a_face_is_followed_to_where_it_moved(mesh, embedded):
    face = embedded[0]
    moved = np.roll(face.image, (6, -8), (0, 1))
    points = mesh.follow(moved, face.points_xy)
    assert _apart(points, face.points_xy + [-8, 6]) < 0.03


def test_where_there_is_no_face_there_are_no_landmarks(mesh):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 200, 3), np.uint8)
    for box in ([20, 20, 180, 180], [-50, -50, 10, 10], [5, 5, 5, 5]):
        assert mesh.points(noise, np.array(box, np.float32)) is None


def test_a_frame_turns_with_the_eyes(embedded):
    points = embedded[0].points_xy
    matrix = cv2.getRotationMatrix2D((0, 0), -30, 1.0)  # clockwise on the screen
    centre, side, roll = framing(points)
    there, same_side, turned = framing(transform_points(matrix, points))
    assert turned - roll == pytest.approx(np.pi / 6, abs=1e-3)
    assert same_side == pytest.approx(side, rel=1e-3)
    np.testing.assert_allclose(
        there, transform_points(matrix, centre[None])[0], atol=0.1
    )
    rotation, _, _ = eye_frame(points)
    across = rotation @ (points[45] - points[36])
    assert across[1] == pytest.approx(0, abs=1e-3)
