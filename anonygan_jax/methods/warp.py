"""The condition's face carried onto the source's landmarks; no training."""

import numpy as np

from anonygan_jax.faces import warping
from anonygan_jax.faces.masks import FACE_CONTOUR
from anonygan_jax.methods.method import Faces, MethodError, NewFaces


class Warp:
    """Puts the conditions' faces, moved and recoloured, where the sources' were."""

    name = "warp"
    uses_conditions = True
    region = FACE_CONTOUR
    crop_size: tuple[int, int] | None = None

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with the conditions' faces; see `Method`."""
        if not isinstance(conditions, Faces):
            raise MethodError("warp needs a condition for each face")
        faces.check()
        conditions.check()
        replaced = [
            warping.warp_onto(condition, condition_points, image, points, mask)
            for condition, condition_points, image, points, mask in zip(
                conditions.images,
                conditions.points_xy,
                faces.images,
                faces.points_xy,
                faces.masks,
                strict=True,
            )
        ]
        return np.stack(replaced)
