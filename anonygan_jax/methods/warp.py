"""Conditions' faces warped onto the sources' landmarks; no training."""

import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces import warping
from anonygan_jax.faces.masks import FACE_CONTOUR
from anonygan_jax.methods.method import Conditions, Faces


class Warp:
    """Warps, recolours and blends the conditions' faces; see `Replacer`."""

    name = "warp"
    region = FACE_CONTOUR
    crop_size: tuple[int, int] | None = None
    step: int | None = None
    num_classes: int | None = None

    def __call__(
        self, faces: Faces, conditions: Conditions
    ) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with the conditions' faces; see `Replacer`."""
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
