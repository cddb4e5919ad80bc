"""Dimensions and types in annotations are checked while tests run."""

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from anonygan_jax.faces import blending
from anonygan_jax.models.heatmaps import landmark_heatmaps
from anonygan_jax.models.images import to_float
from anonygan_jax.models.layers import Dropout


def test_calls_with_other_dimensions_are_refused():
    with pytest.raises(jaxtyping.TypeCheckError, match="points_xy"):
        landmark_heatmaps(jnp.zeros((68, 2)), (8, 8))
    image, mask = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.float32)
    with pytest.raises(jaxtyping.TypeCheckError, match="mask"):
        blending.blend(image, image, mask, np.zeros((68, 2)))


def test_calls_with_other_types_are_refused():
    with pytest.raises(jaxtyping.TypeCheckError, match="image_u8"):
        to_float(jnp.zeros((1, 8, 8, 3)))
    with pytest.raises(jaxtyping.TypeCheckError, match="'x'"):
        Dropout(0.5).apply({}, jnp.zeros((2, 3), int), False)
