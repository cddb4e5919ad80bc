"""Heatmaps against the release's, their convolution against the dense one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_values import load

from anonygan_jax.models.convolution import depth_to_space
from anonygan_jax.models.heatmaps import (
    convolve_heatmaps,
    landmark_heatmaps,
    scatter_onehot_kernels,
)


@pytest.mark.parametrize("number", range(6))
def test_resized_heatmaps_equal_the_releases(number):
    golden = load("geometry.npz")
    k, y, x = golden[f"heatmap220x180_nonzero_kyx_{number}"].T
    expected = np.zeros((220, 180, 68), np.float32)
    expected[y, x, k] = golden[f"heatmap220x180_values_{number}"]
    points = golden[f"landmarks_xy_{number}"][None].astype(np.float32)
    resized = (points + 0.5) * np.array([180 / 178, 220 / 218], np.float32) - 0.5
    heatmaps = landmark_heatmaps(jnp.asarray(resized), (220, 180), (218, 178))
    np.testing.assert_allclose(heatmaps.dense()[0], expected, atol=1e-6)


def test_nearest_pixel_is_set_and_points_outside_leave_nothing():
    points = jnp.asarray([[[2.4, 0.6], [-0.6, 1.0], [4.4, 3.4], [4.6, 2.0]]])
    dense = np.asarray(landmark_heatmaps(points, (4, 5)).dense())[0]
    assert sorted(zip(*np.nonzero(dense), strict=True)) == [(1, 2, 0), (3, 4, 2)]


@pytest.mark.parametrize(
    ("side", "stride", "padding", "mode"),
    [(7, 1, 3, "reflect"), (4, 2, 1, "constant"), (3, 1, 1, "reflect")],
)
@pytest.mark.parametrize("grid", [None, (20, 15)])
def test_convolution_equals_the_dense_one(side, stride, padding, mode, grid):
    rng = np.random.default_rng(0)
    points = jnp.asarray(rng.uniform(-2, 24, (2, 9, 2)), jnp.float32)
    heatmaps = landmark_heatmaps(points, (22, 18), grid)
    kernel = jnp.asarray(rng.standard_normal((side, side, 9, 4)), jnp.float32)
    pad = (padding, padding)
    dense = jnp.pad(heatmaps.dense(), ((0, 0), pad, pad, (0, 0)), mode=mode)
    expected = jax.lax.conv_general_dilated(
        dense,
        kernel,
        (stride, stride),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    result = convolve_heatmaps(heatmaps, kernel, stride, padding, mode)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    if expected.shape[2] % 2 == 0:
        result = convolve_heatmaps(heatmaps, kernel, stride, padding, mode, True)
        np.testing.assert_allclose(depth_to_space(result), expected, atol=1e-5)
    assert heatmaps.is_one_hot == (grid is None)
    if heatmaps.is_one_hot:
        result = scatter_onehot_kernels(heatmaps, kernel, stride, padding, mode)
        np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("size", [(12, 9), (5, 6)])  # mirrored beyond both borders, too
@pytest.mark.parametrize(
    ("side", "stride", "padding", "mode"),
    [(7, 1, 3, "reflect"), (4, 2, 1, "constant")],
)
def test_scattered_kernels_have_the_gradients_of_products(
    side, stride, padding, mode, size
):
    rng = np.random.default_rng(2)
    points = jnp.asarray(rng.uniform(-1, 12, (2, 30, 2)), jnp.float32)
    kernel = jnp.asarray(rng.standard_normal((side, side, 30, 3)), jnp.float32)
    weights = jnp.asarray(rng.uniform(-1, 1, (2, 30)), jnp.float32)

    def scattered(weights, kernel):
        heatmaps = landmark_heatmaps(points, size).scale(weights)
        return scatter_onehot_kernels(heatmaps, kernel, stride, padding, mode)

    def products(weights, kernel):
        heatmaps = landmark_heatmaps(points, size).scale(weights)
        return convolve_heatmaps(heatmaps, kernel, stride, padding, mode)

    result, pullback = jax.vjp(scattered, weights, kernel)
    expected, expected_pullback = jax.vjp(products, weights, kernel)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    back = jnp.asarray(rng.standard_normal(expected.shape), jnp.float32)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4),
        pullback(back),
        expected_pullback(back),
    )


def test_scale_and_means_are_those_of_the_dense_heatmaps():
    points = jnp.asarray(np.random.default_rng(1).uniform(0, 9, (2, 5, 2)), jnp.float32)
    heatmaps = landmark_heatmaps(points, (12, 10), (11, 9))
    np.testing.assert_allclose(
        heatmaps.means(), heatmaps.dense().mean((1, 2)), rtol=1e-6
    )
    weights = jnp.arange(10.0).reshape(2, 5)
    expected = heatmaps.dense() * weights[:, None, None]
    np.testing.assert_allclose(heatmaps.scale(weights).dense(), expected, rtol=1e-6)
