"""Loss terms against numpy."""

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax import losses

RNG = np.random.default_rng(0)


def _array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def test_discriminator_is_the_mean_cross_entropy():
    real, fake = _array(2, 3, 4, 1), _array(2, 3, 4, 1)
    expected = (np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(fake)).mean()) / 2
    np.testing.assert_allclose(losses.discriminator(real, fake), expected, rtol=1e-5)


def test_context_matching_weighs_each_map_and_leaves_the_real_ones():
    fake, real = [_array(2, 4, 4, 3), _array(2, 2, 2, 5)], [_array(2, 4, 4, 3)] * 2
    real[1] = _array(2, 2, 2, 5)
    expected = 0.8 * sum(np.abs(f - r).mean() for f, r in zip(fake, real, strict=True))
    np.testing.assert_allclose(losses.context_matching(fake, real), expected, rtol=1e-5)
    grads = jax.grad(losses.context_matching, argnums=1)(fake, real)
    assert all((g == 0).all() for g in grads)


def test_reconstruction_counts_supervised_pixels_inside_the_mask():
    output, source = _array(3, 4, 5, 3), _array(3, 4, 5, 3)
    mask = (RNG.random((3, 4, 5, 1)) < 0.5).astype(np.float32)
    same = np.array([True, False, True])
    composite = mask * output + (1 - mask) * source
    expected = np.abs(composite - source)[same].mean()
    result = losses.reconstruction(output, source, mask, jnp.asarray(same))
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_reconstruction_without_supervised_pairs_is_zero():
    a, b = _array(2, 4, 4, 3), _array(2, 4, 4, 3)
    mask = np.ones((2, 4, 4, 1), np.float32)
    assert losses.reconstruction(a, b, mask, jnp.zeros(2, bool)) == 0


def test_closeness_compares_means_of_cells_in_the_other_pairs():
    output, prior = _array(3, 16, 24, 3), _array(3, 16, 24, 3)
    same = np.array([True, False, False])
    cells = (output - prior)[~same].reshape(2, 2, 8, 3, 8, 3).mean((2, 4))
    result = losses.closeness(output, prior, jnp.asarray(same))
    np.testing.assert_allclose(result, np.abs(cells).mean(), rtol=1e-4)
    assert losses.closeness(output, prior, jnp.ones(3, bool)) == 0
