"""Layers against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.models.layers import BatchNorm, Dropout

RNG = np.random.default_rng(0)


def test_batch_norm_is_pytorchs():
    x = jnp.asarray(RNG.normal(3, 2, (4, 5, 6, 3)), jnp.float32)
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), x, True)
    y, updates = norm.apply(variables, x, True, mutable=["batch_stats"])
    mean, var = np.asarray(x).mean((0, 1, 2)), np.asarray(x).var((0, 1, 2))
    scale = variables["params"]["scale"]
    np.testing.assert_allclose(y, (x - mean) / np.sqrt(var + 1e-5) * scale, atol=1e-4)
    running = updates["batch_stats"]
    np.testing.assert_allclose(running["mean"], 0.1 * mean, rtol=1e-4)
    unbiased = np.asarray(x).reshape(-1, 3).var(0, ddof=1)
    np.testing.assert_allclose(running["var"], 0.9 + 0.1 * unbiased, rtol=1e-5)


def test_batch_norm_of_a_trained_network_uses_the_running_statistics():
    x = jnp.asarray(RNG.normal(3, 2, (4, 5, 6, 3)), jnp.float32)
    stats = {"mean": jnp.array([1.0, 2, 3]), "var": jnp.array([4.0, 1, 0.25])}
    params = {"scale": jnp.array([2.0, 2, 2]), "bias": jnp.ones(3)}
    y = BatchNorm().apply({"params": params, "batch_stats": stats}, x, False)
    expected = (np.asarray(x) - [1, 2, 3]) / np.sqrt(
        np.array([4, 1, 0.25]) + 1e-5
    ) * 2 + 1
    np.testing.assert_allclose(y, expected, atol=1e-4)


@pytest.fixture(scope="module")
def far_from_zero() -> jax.Array:
    """Features whose deviation is a ten thousandth of their mean."""
    return jnp.asarray(1000 + RNG.normal(0, 0.1, (8, 9, 7, 2)), jnp.float32)


def test_statistics_keep_their_digits_far_from_zero(far_from_zero):
    """Once the running mean, which begins at 0, has come near the features."""
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), far_from_zero, True)
    apply = jax.jit(lambda v: norm.apply(v, far_from_zero, True, mutable="batch_stats"))
    for _ in range(100):
        y, updates = apply(variables)
        variables = variables | updates
    exact = np.asarray(far_from_zero, np.float64)
    deviation = np.sqrt(exact.var((0, 1, 2)) + 1e-5)
    expected = (exact - exact.mean((0, 1, 2))) / deviation
    np.testing.assert_allclose(y, expected * variables["params"]["scale"], atol=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_variances_are_never_negative(seed):
    """Where the running mean is far away, rounding decides over the variance's sign."""
    rng = np.random.default_rng(seed)
    x = jnp.asarray(1000 + rng.normal(0, 0.01, (8, 9, 7, 16)), jnp.float32)
    norm = BatchNorm()
    variables = norm.init(jax.random.key(0), x, True)
    y, updates = norm.apply(variables, x, True, mutable=["batch_stats"])
    assert np.isfinite(y).all()
    assert (updates["batch_stats"]["var"] >= 0.9 * 1.0).all()


def test_dropout_keeps_its_share_and_the_mean():
    x = jnp.ones((40, 50, 60))
    for rate in (0.5, 0.25, 0.1):
        y = Dropout(rate).apply({}, x, True, rngs={"dropout": jax.random.key(0)})
        assert set(np.unique(y)) == {0.0, np.float32(1 / (1 - rate))}
        assert abs(float((y == 0).mean()) - rate) < 0.005  # four deviations
    np.testing.assert_array_equal(Dropout(0.5).apply({}, x, False), x)


@pytest.mark.parametrize("rate", [0.5, 0.25, 0.1])
@pytest.mark.parametrize("shape", [(3000,), (200, 70), (2, 70, 5, 500)])
def test_dropout_draws_each_feature_by_itself(shape, rate):
    y = Dropout(rate).apply(
        {}, jnp.ones(shape), True, rngs={"dropout": jax.random.key(1)}
    )
    dropped = np.asarray(y == 0, float) - rate
    limit = 5 * rate * (1 - rate)  # five deviations
    for axis, length in enumerate(shape):
        for distance in {1, 16, 31, 32, 33} & set(range(length)):
            first = dropped.take(range(length - distance), axis)
            second = dropped.take(range(distance, length), axis)
            covariance = (first * second).mean()
            assert abs(covariance) < limit / np.sqrt(first.size)
