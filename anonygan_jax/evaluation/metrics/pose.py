"""How far an anonymised face's landmarks moved, in both published forms."""

import numpy as np

from anonygan_jax.faces.face import OUTER_EYE_CORNERS


def pose_distance(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns the mean landmark displacement over the interocular distance.

    Args:
      reference: float [..., 68, 2], landmarks of the source.
      prediction: float [..., 68, 2], landmarks found anew in the result.

    Returns:
      float64 [...], 0 or more; 0.05 is a twentieth of the eyes' distance.

    Source: the paper, section 4 (Euclidean form).
    """
    return landmark_distances(reference, prediction).mean(-1)


def landmark_distances(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns each landmark's displacement over the interocular distance.

    Args: as `pose_distance`.

    Returns:
      float64 [..., 68], 0 or more.
    """
    left, right = OUTER_EYE_CORNERS
    moved = np.linalg.norm(np.subtract(prediction, reference), axis=-1)
    eyes = np.linalg.norm(reference[..., left, :] - reference[..., right, :], axis=-1)
    return moved / eyes[..., None]


def pose_distance_l1(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Returns the mean absolute displacement over that of the eyes' outer corners.

    Args and Returns as `pose_distance`. Both means are over x and y, so a face whose
    eyes are level divides by half of its interocular distance.

    Source: the table of the official release.
    """
    left, right = OUTER_EYE_CORNERS
    moved = np.abs(np.subtract(prediction, reference)).mean((-1, -2))
    eyes = np.abs(reference[..., left, :] - reference[..., right, :]).mean(-1)
    return moved / eyes
