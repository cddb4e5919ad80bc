"""Expression of a face, measured on its landmarks."""

import numpy as np
from jaxtyping import Float

from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE

OPEN, SHUT = 0.12, 0.03  # mouth openness: certainly open, certainly shut


def mouth_openness(points_xy: Float[np.ndarray, "68 2"]) -> float:
    """Returns the gap of the inner lips over the mouth's width, 0 when shut.

    Source: ours.
    """
    upper, lower = points_xy[[61, 62, 63]], points_xy[[67, 66, 65]]
    gap = np.linalg.norm(upper - lower, axis=-1).mean()
    return float(gap / np.linalg.norm(points_xy[54] - points_xy[48]))


def eye_openness(points_xy: Float[np.ndarray, "68 2"]) -> float:
    """Returns the mean eye aspect ratio, height over width; near 0.1 when shut.

    Source: Soukupova and Cech 2016.
    """
    ratios = []
    for start in (LEFT_EYE[0], RIGHT_EYE[0]):
        outer, upper1, upper2, inner, lower2, lower1 = points_xy[start : start + 6]
        height = np.linalg.norm(upper1 - lower1) + np.linalg.norm(upper2 - lower2)
        ratios.append(height / (2 * np.linalg.norm(outer - inner)))
    return float(np.mean(ratios))


def mouth_width(points_xy: Float[np.ndarray, "68 2"]) -> float:
    """Returns the mouth's width over the height from eyes to chin; smiles are wide."""
    height = np.linalg.norm(points_xy[36:48].mean(0) - points_xy[8])
    return float(np.linalg.norm(points_xy[54] - points_xy[48]) / height)
