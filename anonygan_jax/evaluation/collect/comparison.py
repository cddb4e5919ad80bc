"""Comparison of one face before and after anonymisation."""

import dataclasses

import numpy as np
from skimage.metrics import structural_similarity

from anonygan_jax.evaluation.collect import pose
from anonygan_jax.evaluation.collect.observation import Observation
from anonygan_jax.faces.expression import eye_openness, mouth_openness
from anonygan_jax.faces.head_pose import head_angles

FACE_MARGIN = 0.5  # of a box's size, on each side: what a method may change


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Differences between a face and its result.

    Differences of landmarks are NaN where dlib detects no face in the result.

    Attributes:
      detected: dlib detects a face at the same place.
      detected_by_mtcnn: None where MTCNN is not used.
      descriptor_distance: Euclidean distance of dlib's descriptors; below 0.6 means
        one person.
      pose_l2, pose_l1: see `evaluation.collect.pose`.
      landmark_errors: float32 [68], displacement over interocular distance.
      yaw, pitch, roll: absolute differences, degrees.
      pose_angle: norm of these three, radians.
      mouth, eyes: absolute differences of openness, see `faces.expression`.
      background_ssim: structural similarity outside the faces, 1 where nothing changed.
    """

    detected: bool
    detected_by_mtcnn: bool | None
    descriptor_distance: float
    pose_l2: float
    pose_l1: float
    landmark_errors: np.ndarray
    yaw: float
    pitch: float
    roll: float
    pose_angle: float
    mouth: float
    eyes: float
    background_ssim: float


def compare(
    before: Observation, after: Observation, background_ssim: float
) -> Comparison:
    """Returns the differences between a face and its result."""
    a, b = before.points_xy, after.points_xy
    valid = 1.0 if after.detected else float("nan")
    turned = np.abs(head_angles(a) - head_angles(b)) % 360
    yaw, pitch, roll = valid * np.minimum(turned, 360 - turned)
    return Comparison(
        detected=after.detected,
        detected_by_mtcnn=after.detected_by_mtcnn,
        descriptor_distance=float(np.linalg.norm(before.descriptor - after.descriptor)),
        pose_l2=valid * float(pose.pose_distance(a, b)),
        pose_l1=valid * float(pose.pose_distance_l1(a, b)),
        landmark_errors=(valid * pose.landmark_distances(a, b)).astype(np.float32),
        yaw=float(yaw),
        pitch=float(pitch),
        roll=float(roll),
        pose_angle=float(np.linalg.norm(np.radians([yaw, pitch, roll]))),
        mouth=valid * abs(mouth_openness(a) - mouth_openness(b)),
        eyes=valid * abs(eye_openness(a) - eye_openness(b)),
        background_ssim=background_ssim,
    )


def background_similarity(
    before: np.ndarray, after: np.ndarray, face_boxes: np.ndarray
) -> float:
    """Returns the mean structural similarity of two photos outside the faces.

    Args:
      before, after: uint8 [H, W, 3] of one size, at least 7 pixels high and wide.
      face_boxes: float [N, 4], left, top, right, bottom; grown by half on each side.

    Returns:
      -1 to 1; NaN where the boxes fill the photo.
    """
    _, similarity = structural_similarity(before, after, channel_axis=-1, full=True)
    outside = np.ones(before.shape[:2], bool)
    for left, top, right, bottom in face_boxes:
        across, down = FACE_MARGIN * (right - left), FACE_MARGIN * (bottom - top)
        rows = slice(max(0, int(top - down)), max(0, int(bottom + down) + 1))
        columns = slice(max(0, int(left - across)), max(0, int(right + across) + 1))
        outside[rows, columns] = False
    return float(similarity[outside].mean()) if outside.any() else float("nan")
