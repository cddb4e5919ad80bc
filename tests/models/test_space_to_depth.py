"""Convolutions of blocks against plain ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.models.layers import BatchNorm, Conv, UpConv
from anonygan_jax.models.space_to_depth import (
    SpaceToDepthConv,
    depth_to_space,
    reflect_blocks,
    space_to_depth,
)

RNG = np.random.default_rng(0)


def _features(height: int, width: int, channels: int) -> jax.Array:
    return jnp.asarray(RNG.standard_normal((2, height, width, channels)), jnp.float32)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_packing_is_undone_and_puts_pixels_side_by_side(height, width, channels):
    x = _features(2 * height, 2 * width, channels)
    packed = space_to_depth(x)
    assert packed.shape == (2, height, width, 4 * channels)
    np.testing.assert_array_equal(depth_to_space(packed), x)
    np.testing.assert_array_equal(
        packed[:, 0, 0], x[:, :2, :2].reshape(2, 4 * channels)
    )


@pytest.mark.parametrize("axis", [1, 2])
def test_borders_are_mirrored_pixel_by_pixel(axis):
    x = _features(8, 10, 3)
    widths = [(0, 0)] * 4
    widths[axis] = (4, 4)
    expected = np.pad(x, widths, mode="reflect")
    np.testing.assert_array_equal(
        depth_to_space(reflect_blocks(space_to_depth(x), axis)), expected
    )


@pytest.mark.parametrize(
    ("side", "stride", "padding", "reflect"),
    [
        (7, 1, 3, True),
        (4, 2, 1, False),
        (3, 2, 1, False),
        (1, 1, 0, False),
        (3, 1, 1, False),
        (5, 1, 2, True),
    ],
)
@pytest.mark.parametrize("is_packed", [False, True], ids=["image", "packed"])
def test_equals_the_plain_convolution(side, stride, padding, reflect, is_packed):
    x = _features(12, 16, 3)
    fields = {"stride": stride, "padding": padding, "reflect": reflect}
    plain = Conv(5, side, use_bias=True, **fields)
    variables = plain.init(jax.random.key(0), x)
    variables["params"]["bias"] += jnp.arange(5.0)
    conv = SpaceToDepthConv(5, side, use_bias=True, **fields)

    def on_this_platform(variables, x):
        given = {"packed": space_to_depth(x)} if is_packed else {"image": x}
        y = conv.apply(variables, **given)
        return y if stride == 2 else depth_to_space(y)

    def on_accelerators(variables, x):
        kernel, bias = variables["params"]["kernel"], variables["params"]["bias"]
        if is_packed:
            y = conv._convolve_packed(space_to_depth(x), kernel)
        else:
            y = conv._convolve_image(x, kernel)
        return (y if stride == 2 else depth_to_space(y)) + bias

    expected, pullback = jax.vjp(plain.apply, variables, x)
    back = jnp.asarray(RNG.standard_normal(expected.shape), jnp.float32)
    for convolve in (on_this_platform, on_accelerators):
        result, its_pullback = jax.vjp(convolve, variables, x)
        np.testing.assert_allclose(result, expected, atol=1e-5)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4),
            its_pullback(back),
            pullback(back),
        )


def test_doubling_can_stay_packed():
    x = _features(5, 4, 6)
    variables = UpConv(3).init(jax.random.key(0), x)
    packed = UpConv(3, packed=True).apply(variables, x)
    np.testing.assert_array_equal(depth_to_space(packed), UpConv(3).apply(variables, x))


@pytest.fixture
def doubles():
    """Double precision: what rounding makes of random features is none of it."""
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("train", [True, False])
def test_packed_pixels_share_statistics(train, doubles):
    x = 3 + np.asarray(_features(8, 6, 4), np.float64) * np.arange(1.0, 5.0)
    plain = BatchNorm()
    variables = plain.init(jax.random.key(0), x, True)
    variables["batch_stats"]["mean"] += jnp.arange(4.0)
    expected, stats = plain.apply(variables, x, train, mutable=["batch_stats"])
    packed = BatchNorm(num_packed=4)
    y, packed_stats = packed.apply(
        variables, space_to_depth(x), train, mutable=["batch_stats"]
    )
    np.testing.assert_allclose(depth_to_space(y), expected, rtol=1e-12, atol=1e-12)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12), packed_stats, stats
    )
