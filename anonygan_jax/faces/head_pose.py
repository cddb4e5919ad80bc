"""Head pose from landmarks."""

import cv2
import numpy as np
from jaxtyping import Float

# Nose tip, chin, outer corners of the eyes, corners of the mouth.
_LANDMARKS = (30, 8, 36, 45, 48, 54)
# The same on a generic head: x right, y down, z away from the camera; thousandths of
# 1.5 head heights. The proportions are those in common use with solvePnP.
_HEAD = np.array(
    [
        [0, 0, 0],
        [0, 330, 65],
        [-225, -170, 135],
        [225, -170, 135],
        [-150, 150, 125],
        [150, 150, 125],
    ],
    np.float64,
)
_FOCAL_LENGTH = 4.0  # over the width between the eyes' corners; a portrait lens


def head_angles(points_xy: Float[np.ndarray, "68 2"]) -> Float[np.ndarray, "3"]:
    """Returns float64 [3]: yaw, pitch and roll in degrees.

    Yaw is positive when the nose points to the image's right, pitch when it points
    up, roll when the head is turned clockwise. Accurate to some five degrees.
    """
    points = np.asarray(points_xy, np.float64)[list(_LANDMARKS)]
    focal = _FOCAL_LENGTH * max(float(np.linalg.norm(points[3] - points[2])), 1.0)
    centre = points.mean(0)
    camera = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
    _, rotation, _ = cv2.solvePnP(_HEAD, points, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    matrix, _ = cv2.Rodrigues(rotation)
    x, y, z = matrix @ np.array([0.0, 0.0, -1.0])  # where the nose points
    right = matrix @ np.array([1.0, 0.0, 0.0])
    radians = [np.arctan2(x, -z), np.arctan2(-y, -z), np.arctan2(right[1], right[0])]
    return np.degrees(radians)
