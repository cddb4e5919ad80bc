"""Pose distances of landmarks before and after, in both published forms."""

import numpy as np

from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import OUTER_EYE_CORNERS


def pose_distance(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns the mean landmark displacement over the interocular distance.

    Args:
      reference: float [..., 68, 2], landmarks of the source.
      prediction: float [..., 68, 2], landmarks that dlib finds in the result.

    Returns:
      float64 [...], 0 or more; 0.05 is a twentieth of the interocular distance.

    Source: the paper, section 4 (Euclidean form).
    """
    return landmark_distances(reference, prediction).mean(-1)


def landmark_distances(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns each landmark's displacement as in `pose_distance`, float64 [..., 68]."""
    left, right = OUTER_EYE_CORNERS
    moved = np.linalg.norm(np.subtract(prediction, reference), axis=-1)
    eyes = np.linalg.norm(reference[..., left, :] - reference[..., right, :], axis=-1)
    return moved / eyes[..., None]


def pose_distance_l1(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns the mean absolute displacement over that of the outer eye corners.

    Both means are over x and y: where the eyes are level, the divisor is half of the
    interocular distance. Arguments and shapes are those of `pose_distance`.

    Source: the table of the official release.
    """
    left, right = OUTER_EYE_CORNERS
    moved = np.abs(np.subtract(prediction, reference)).mean((-1, -2))
    eyes = np.abs(reference[..., left, :] - reference[..., right, :]).mean(-1)
    return moved / eyes


def mean_face(faces: list[np.ndarray]) -> np.ndarray:
    """Returns the mean landmarks of faces aligned as in CelebA, float [68, 2].

    Raises:
      DegenerateFaceError: landmarks of a face coincide.
    """
    size = alignment.CELEBA_SIZE
    aligned = [
        alignment.transform_points(alignment.celeba_transform(points, size), points)
        for points in faces
    ]
    return np.mean(aligned, axis=0)
