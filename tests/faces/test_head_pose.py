"""Head angles: signs, symmetries, turned heads."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.faces import head_pose


def _projected(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Landmarks of the generic head, turned by OpenCV, seen through the lens."""
    yaw, pitch, roll = np.deg2rad([yaw, pitch, roll])
    turn = np.eye(3)
    for vector in ([0, -yaw, 0], [-pitch, 0, 0], [0, 0, roll]):
        matrix, _ = cv2.Rodrigues(np.array(vector, float))
        turn = matrix @ turn
    points = np.zeros((68, 2))
    head = head_pose._HEAD @ turn.T
    head[:, :2] -= head[:, :2].mean(0)
    # the camera of the module: four times as far as the eyes are apart in focal length
    depth = 4 * 450 + head[:, 2:]
    points[list(head_pose._LANDMARKS)] = 300 + 4 * 450 * head[:, :2] / depth
    return points


@pytest.mark.parametrize("number", [0, 1, 2])
@given(angle=st.floats(-25, 25))
@settings(max_examples=20)
def test_a_turn_about_one_axis_is_measured(number, angle):
    angles = np.zeros(3)
    angles[number] = angle
    measured = head_pose.head_angles(_projected(*angles))
    np.testing.assert_allclose(measured, angles, atol=3)


def test_composites_turned_by_the_mesh_are_seen_to_turn(embedded):
    yaws: dict[str, list[float]] = {}
    for face in embedded:
        name = face.file.split("/")[-1]
        yaws.setdefault(name, []).append(head_pose.head_angles(face.points_xy)[0])
    means = {name: np.mean(values) for name, values in yaws.items()}
    assert means["neutral_left.png"] < -4 < 4 < means["smiling_right.png"]
    assert abs(means["neutral.png"]) < 2


@given(st.floats(-40, 40))
@settings(max_examples=10)
def test_rotating_the_picture_is_roll(embedded, degrees):
    points = embedded[0].points_xy
    _yaw, _pitch, roll = head_pose.head_angles(points)
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    turned = points @ np.array([[c, s], [-s, c]])
    assert head_pose.head_angles(turned)[2] == pytest.approx(roll + degrees, abs=1)
