"""Priors: the sources with the conditions' faces warped into them, for training."""

import jax
import numpy as np

from anonygan_jax.data import warping
from anonygan_jax.data.masks import face_mask

_masks = jax.jit(face_mask, static_argnums=1)


def draw_priors(
    condition: np.ndarray,
    condition_points: np.ndarray,
    source: np.ndarray,
    source_points: np.ndarray,
) -> np.ndarray:
    """Returns the sources with the conditions' faces warped in; fields as PairBatch.

    A source whose mask lies outside its picture stays as it is: nothing is hidden.
    """
    masks = np.asarray(_masks(source_points, source.shape[1:3]))[..., 0]
    priors = source.copy()
    for i, mask in enumerate(masks):
        if mask.any():
            priors[i] = warping.warp_onto(
                condition[i], condition_points[i], source[i], source_points[i], mask
            )
    return priors
