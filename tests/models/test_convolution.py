"""Convolutions against jax.lax and NumPy."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.models.convolution import (
    LAX,
    MATMUL,
    Conv,
    UpConv,
    convolve,
    reflect_pad,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        ((12, 10, 3), (3, 3), 1, ((1, 1), (1, 1))),
        ((13, 9, 4), (4, 4), 2, ((1, 1), (1, 1))),
        ((14, 11, 3), (7, 7), 1, ((3, 3), (3, 3))),
        ((8, 8, 3), (2, 2), 2, ((0, 0), (0, 0))),
        ((9, 7, 4), (2, 2), 1, ((0, 1), (0, 1))),
        ((9, 8, 4), (1, 1), 2, ((0, 0), (0, 0))),
    ],
)
def test_products_of_matrices_are_the_convolutions(size, kernel, stride, padding):
    x = jnp.asarray(RNG.normal(size=(2, *size)), jnp.float32)
    weights = jnp.asarray(RNG.normal(size=(*kernel, size[-1], 5)), jnp.float32)

    def both(convolution):
        out, pullback = jax.vjp(
            lambda x, w: convolve(x, w, stride, padding, convolution), x, weights
        )
        back = jnp.cos(jnp.arange(out.size, dtype=jnp.float32)).reshape(out.shape)
        return out, pullback(back)

    chex.assert_trees_all_close(both(MATMUL), both(LAX), atol=4e-5)


@pytest.mark.parametrize(
    ("plain", "products"),
    [
        (
            Conv(5, 7, padding=3, reflect=True),
            Conv(5, 7, 1, 3, True, convolution=MATMUL),
        ),
        (Conv(5, 4, stride=2, padding=1), Conv(5, 4, 2, 1, convolution=MATMUL)),
        (UpConv(5), UpConv(5, convolution=MATMUL)),
    ],
    ids=["7x7", "4x4", "up"],
)
def test_layers_compute_the_same_by_products(plain, products):
    x = jnp.asarray(RNG.standard_normal((2, 12, 10, 3)), jnp.float32)
    variables = plain.init(jax.random.key(0), x)
    program = str(jax.make_jaxpr(products.apply)(variables, x))
    assert "conv_general_dilated" not in program
    expected = plain.apply(variables, x)
    np.testing.assert_allclose(products.apply(variables, x), expected, atol=1e-5)


def test_up_conv_equals_the_dilated_convolution():
    x = jnp.asarray(RNG.standard_normal((2, 5, 4, 6)), jnp.float32)
    up = UpConv(3)
    variables = up.init(jax.random.key(0), x)
    reference = nn.ConvTranspose(
        3, (3, 3), strides=(2, 2), padding=((1, 2), (1, 2)), use_bias=False
    )
    expected = reference.apply(variables, x)
    np.testing.assert_allclose(up.apply(variables, x), expected, atol=1e-6)


@pytest.mark.parametrize("width", [1, 3])
def test_mirrored_borders_and_their_gradient_are_numpys(width):
    x = jnp.asarray(RNG.standard_normal((2, 9, 8, 3)), jnp.float32)

    def plain(x):
        pad = (width, width)
        return jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode="reflect")

    y, pullback = jax.vjp(lambda x: reflect_pad(x, width), x)
    expected, plain_pullback = jax.vjp(plain, x)
    np.testing.assert_array_equal(y, expected)
    back = jnp.asarray(RNG.standard_normal(y.shape), jnp.float32)
    np.testing.assert_allclose(
        pullback(back)[0], plain_pullback(back)[0], rtol=1e-5, atol=1e-5
    )
