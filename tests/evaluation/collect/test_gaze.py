"""The iris network against TensorFlow Lite's, and gazes that are known."""

import cv2
import golden_values
import numpy as np
import pytest
from observations import observed

from anonygan_jax.composites.bank import embedded_bank, load_bank
from anonygan_jax.evaluation.collect import gaze, inputs
from anonygan_jax.evaluation.collect.eye_windows import (
    in_eye_widths,
    window_transforms,
)
from anonygan_jax.faces.alignment import transform_points
from anonygan_jax.io.onnx_file import OnnxFile

WIDTH, ENLARGED = 70, 8  # of a drawn eye, pixels; drawn larger, for smooth edges
MIDDLES = np.array([[95.0, 80], [225, 80]])  # of the drawn eyes


@pytest.fixture(scope="module")
def network() -> gaze.IrisNetwork:
    return gaze.IrisNetwork()


def _given(yaw: float, pitch: float, gap: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Points as the network gives them, of eyes 30 long with a radius of 12."""
    offset = 12 * np.array([[np.sin(yaw)], [-np.sin(yaw)]])  # the right is mirrored
    eyes = np.zeros((2, 71, 2))
    eyes[:, 0], eyes[:, 8] = [10, 5], [40, 5]
    eyes[:, 1:8, 1], eyes[:, 9:16, 1] = 5 + 15 * gap, 5 - 15 * gap
    irises = np.zeros((2, 5, 2))
    irises[..., 0] = 25 + offset + [-6, 0, 6, 0, 0]
    irises[..., 1] = 5 - 12 * np.sin(pitch) + np.array([0, -6, 0, 6, 0])
    return eyes, irises


def _drawn(yaw: float, pitch: float) -> tuple[np.ndarray, np.ndarray]:
    """A picture of two eyes that look there, and landmarks with their corners."""
    picture = np.full((160 * ENLARGED, 320 * ENLARGED, 3), (205, 165, 140), np.uint8)
    points = np.zeros((68, 2), np.float32)
    across = np.linspace(0, np.pi, 60)
    to_iris = WIDTH * gaze.RADIUS * np.array([np.sin(yaw), -np.sin(pitch)])
    for middle, (left, right) in zip(MIDDLES, ((36, 39), (42, 45)), strict=True):
        points[left], points[right] = middle - [35, 0], middle + [35, 0]
        lids = [
            middle + np.stack([-35 * np.cos(across), side * np.sin(across)], 1)
            for side in (-17, 13)
        ]
        outline = np.int32(np.concatenate([lids[0], lids[1][::-1]]) * ENLARGED)
        inside = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(inside, [outline], 1)
        eye = np.full_like(picture, (240, 236, 232))
        centre = tuple(int(x) for x in (middle + to_iris) * ENLARGED)
        cv2.circle(eye, centre, round(0.195 * WIDTH * ENLARGED), (95, 70, 50), -1)
        cv2.circle(eye, centre, round(0.08 * WIDTH * ENLARGED), (15, 12, 12), -1)
        picture[inside > 0] = eye[inside > 0]
        cv2.polylines(picture, [outline], True, (70, 45, 40), 2 * ENLARGED)
    return cv2.resize(picture, (320, 160), interpolation=cv2.INTER_AREA), points


def _seen(
    network: gaze.IrisNetwork, picture: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """The gaze of a picture, on the evaluation's way."""
    face = observed(points_xy=points)
    made = inputs.pictures_for(frozenset([inputs.GAZE]), picture, face, face)
    return network(made[inputs.GAZE][None])[inputs.ANGLES][0]


def test_onnx_runtime_computes_what_tensorflow_lite_computes():
    golden = golden_values.load("iris_landmark.npz")
    run = OnnxFile(gaze.NETWORK)
    pictures = np.random.default_rng(5).uniform(0, 1, (3, 64, 64, 3))
    for number, picture in enumerate(pictures.astype(np.float32)):
        for found, name in zip(run(picture[None]), ("eyes", "irises"), strict=True):
            expected = golden[name][number]
            assert np.abs(found.reshape(-1, 3) - expected).max() <= 1e-2  # pixels


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (0.3, 0), (-0.5, 0.2), (0.1, -0.4)])
def test_offsets_of_the_iris_are_sines_of_the_gaze(yaw, pitch):
    found = gaze.gaze_angles(*_given(yaw, pitch))
    np.testing.assert_allclose(found, [yaw, pitch], atol=1e-9)
    larger = gaze.gaze_angles(*(7 * points for points in _given(yaw, pitch)))
    np.testing.assert_allclose(larger, found)


def test_where_one_eye_is_shut_there_is_no_gaze():
    eyes, irises = _given(0.2, 0.1)
    eyes[1] = _given(0.2, 0.1, gap=0.08)[0][1]
    assert np.isnan(gaze.gaze_angles(eyes, irises)).all()
    assert np.isnan(gaze.gaze_difference(np.zeros(2), np.full(2, np.nan)))
    eyes[1] = _given(0.2, 0.1, gap=0.12)[0][1]
    assert np.isfinite(gaze.gaze_angles(eyes, irises)).all()


def test_the_difference_is_the_angle_between_directions():
    difference = gaze.gaze_difference
    assert difference(np.array([0.3, 0]), np.array([-0.1, 0])) == pytest.approx(0.4)
    assert difference(np.array([0.2, 0.5]), np.array([0.2, -0.1])) == pytest.approx(0.6)
    assert difference(np.array([0.2, 0.5]), np.array([0.2, 0.5])) == 0
    apart = np.arccos(np.cos(0.3) * np.cos(0.4))  # a right-angled spherical triangle
    assert difference(np.zeros(2), np.array([0.3, 0.4])) == pytest.approx(apart)


def test_points_of_all_windows_are_in_one_frame():
    points = np.random.default_rng(1).uniform(0, 90, (68, 2))
    points[[36, 39, 42, 45]] = [[20, 50], [40, 52], [60, 50], [82, 44]]
    points[7] = [31, 47]
    shown = [
        [transform_points(matrix, points[[36, 39, 7]]) for matrix in eye]
        for eye in window_transforms(points)
    ]
    left, _ = in_eye_widths(np.array(shown) + 0.5)  # counted from the pixel's corner
    np.testing.assert_allclose(left, left[:1].repeat(5, 0), atol=1e-6)
    assert np.linalg.norm(left[0, 0] - left[0, 1]) == pytest.approx(1)
    np.testing.assert_allclose(left[0, :2].mean(0), 0, atol=1e-6)


def test_drawn_eyes_look_where_they_were_drawn_to_look(network):
    """By 0.4 to 0.7 of the angle: the corners that are found follow the iris."""
    ahead = _seen(network, *_drawn(0, 0))
    assert abs(ahead[0]) < 0.03
    for yaw, pitch in ((0.4, 0), (-0.4, 0), (0.2, 0), (0, 0.2), (0, -0.2)):
        turned = _seen(network, *_drawn(yaw, pitch)) - ahead
        drawn = np.array([yaw, pitch])
        assert 0.3 < turned @ drawn / (drawn @ drawn) < 1.1, (yaw, pitch)
        assert np.abs(turned[drawn == 0]).max() < 0.05, (yaw, pitch)


def test_mirrored_faces_have_mirrored_gazes(network):
    bank = load_bank(embedded_bank())
    apart = []
    for number in range(0, 60, 5):
        picture, points = bank.image(number), bank.points_xy[number]
        swapped = points.copy()
        swapped[[36, 39, 42, 45]] = points[[45, 42, 39, 36]]
        swapped[:, 0] = picture.shape[1] - 1 - swapped[:, 0]
        there = _seen(network, picture, points)
        mirrored = _seen(network, picture[:, ::-1].copy(), swapped)
        apart.append(gaze.gaze_difference(there, mirrored * [-1, 1]))
    assert np.median(apart) < 0.01
