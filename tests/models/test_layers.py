"""Layers against closed forms and jax.lax."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.models.layers import BatchNorm, Dropout, UpConv, reflect_pad

RNG = np.random.default_rng(0)


def test_batch_norm_is_pytorchs():
    x = RNG.normal(3, 2, (4, 5, 6, 3)).astype(np.float32)
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), x, True)
    y, updates = norm.apply(variables, x, True, mutable=["batch_stats"])
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    scale = variables["params"]["scale"]
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-5) * scale, atol=1e-4)
    running = updates["batch_stats"]
    np.testing.assert_allclose(running["mean"], 0.1 * mean, rtol=1e-4)
    unbiased = x.reshape(-1, 3).var(0, ddof=1)
    np.testing.assert_allclose(running["var"], 0.9 + 0.1 * unbiased, rtol=1e-5)


def test_batch_norm_of_a_trained_network_uses_the_running_statistics():
    x = RNG.normal(3, 2, (4, 5, 6, 3)).astype(np.float32)
    stats = {"mean": jnp.array([1.0, 2, 3]), "var": jnp.array([4.0, 1, 0.25])}
    params = {"scale": jnp.array([2.0, 2, 2]), "bias": jnp.ones(3)}
    y = BatchNorm().apply({"params": params, "batch_stats": stats}, x, False)
    expected = (x - [1, 2, 3]) / np.sqrt(np.array([4, 1, 0.25]) + 1e-5) * 2 + 1
    np.testing.assert_allclose(y, expected, atol=1e-4)


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


def test_statistics_keep_their_digits_far_from_zero():
    x = (1000 + RNG.normal(0, 0.1, (8, 9, 7, 2))).astype(np.float32)
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), x, True)
    variables["batch_stats"]["mean"] += 1000.0
    y, _ = norm.apply(variables, x, True, mutable=["batch_stats"])
    promote_to_float32 = x.astype(np.float64)
    expected = (promote_to_float32 - promote_to_float32.mean((0, 1, 2))) / np.sqrt(
        promote_to_float32.var((0, 1, 2)) + 1e-5
    )
    scale = variables["params"]["scale"]
    np.testing.assert_allclose(y, expected * scale, atol=2e-3)


def test_dropout_keeps_its_share_and_the_mean():
    x = jnp.ones((40, 50, 60))
    for rate in (0.5, 0.1):
        y = Dropout(rate).apply({}, x, True, rngs={"dropout": jax.random.key(0)})
        assert set(np.unique(y)) == {0.0, np.float32(1 / (1 - rate))}
        assert abs(float((y == 0).mean()) - rate) < 0.005  # four deviations
    np.testing.assert_array_equal(Dropout(0.5).apply({}, x, False), x)
