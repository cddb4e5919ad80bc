"""The condition's face carried onto the source's landmarks; no training."""

import numpy as np

from anonygan_jax.data import warping
from anonygan_jax.data.landmarks import LEFT_EYE, OUTER_EYE_CORNERS, RIGHT_EYE
from anonygan_jax.data.masks import OUTLINE
from anonygan_jax.methods.faces import Faces, MethodError, NewFaces

SHAPE_SHARE = 0.6
MAX_FEATURE_SHIFT = 0.06  # of the distance of the eyes' outer corners

_FEATURES = (
    LEFT_EYE,
    RIGHT_EYE,
    range(17, 22),
    range(22, 27),
    range(27, 36),
    range(48, 68),
)


class Warp:
    """Puts the conditions' faces, moved and recoloured, where the sources' were.

    Attributes:
      shape_share: how far each feature goes from its place in the source to its place
        in the condition, 0 to 1. Where features lie tells who somebody is, too.
    """

    name = "warp"
    uses_conditions = True
    region = OUTLINE
    crop_size: tuple[int, int] | None = None

    def __init__(self, shape_share: float = SHAPE_SHARE) -> None:
        if not 0 <= shape_share <= 1:
            raise ValueError(f"shape_share is {shape_share}, wanted 0 to 1")
        self.shape_share = shape_share

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with the conditions' faces; see `Method`."""
        if not isinstance(conditions, Faces):
            raise MethodError("warp needs a condition for each face")
        faces.check()
        conditions.check()
        replaced = []
        for image, points, mask, condition, condition_points in zip(
            faces.images,
            faces.points_xy,
            faces.masks,
            conditions.images,
            conditions.points_xy,
            strict=True,
        ):
            target = mix_shapes(points, condition_points, self.shape_share)
            replaced.append(
                warping.warp_onto(condition, condition_points, image, target, mask)
            )
        return np.stack(replaced)


def mix_shapes(
    points: np.ndarray, condition_points: np.ndarray, share: float
) -> np.ndarray:
    """Returns the source's landmarks with its features moved towards the condition's.

    Each feature (eye, brow, nose, mouth) moves as a whole, so that gaze and expression
    stay; the jaw, on which the mask's border lies, stays too.

    Args:
      points, condition_points: float [68, 2].
      share: 0 leaves them, 1 goes all the way, up to a limit.
    """
    design = np.column_stack([condition_points, np.ones(len(points))])
    fit, *_ = np.linalg.lstsq(design, points, rcond=None)
    apart = design @ fit - points
    left, right = OUTER_EYE_CORNERS
    limit = MAX_FEATURE_SHIFT * np.linalg.norm(points[right] - points[left])
    mixed = np.array(points, np.float32)
    for feature in _FEATURES:
        shift = share * apart[list(feature)].mean(0)
        length = max(float(np.linalg.norm(shift)), 1e-6)
        mixed[list(feature)] += shift * min(1.0, limit / length)
    return mixed
