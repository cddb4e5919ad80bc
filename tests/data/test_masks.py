"""Masks against the release's and against OpenCV's filled polygon."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from golden_values import load
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.data.masks import face_mask, mask_polygon

SIZE = (218, 178)


@pytest.mark.parametrize("number", range(6))
def test_agrees_with_the_release(number):
    golden = load("geometry.npz")
    expected = np.unpackbits(golden[f"mask_{number}"])[: SIZE[0] * SIZE[1]].reshape(
        SIZE
    )
    points = jnp.asarray(golden[f"landmarks_xy_{number}"][None], jnp.float32)
    mask = np.asarray(face_mask(points, SIZE))[0, :, :, 0]
    assert (mask == expected).mean() >= 0.995


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.integers(-150, 150))
def test_agrees_with_opencv_wherever_the_face_lies(seed, shift):
    rng = np.random.default_rng(seed)
    angles = np.linspace(np.pi, 0, 17)
    points = np.zeros((1, 68, 2), np.float32)
    points[0, :17] = 89 + 60 * np.stack([-np.cos(-angles), np.sin(angles)], -1)
    points[0, [19, 24]] = [[60, 40], [120, 45]]
    points = np.rint(points + rng.normal(0, 4, points.shape) + shift).astype(np.float32)
    polygon = np.asarray(mask_polygon(jnp.asarray(points)))[0].astype(np.int32)
    expected = cv2.fillPoly(np.zeros(SIZE, np.uint8), [polygon], 1)
    mask = np.asarray(face_mask(jnp.asarray(points), SIZE))[0, :, :, 0]
    assert (mask == expected).mean() >= 0.995
