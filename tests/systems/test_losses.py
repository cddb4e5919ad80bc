"""Loss terms against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.systems import losses

RNG = np.random.default_rng(0)


def _array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def _weights(mask: np.ndarray) -> jnp.ndarray:
    """Of the samples that count in the whole batch."""
    return losses.share_weights(jnp.asarray(mask), jnp.asarray(mask.mean()))


def _cross_entropy(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(-x))


@pytest.mark.parametrize(
    ("ours", "on_real", "on_fake"),
    [
        (
            (losses.discriminator_loss, losses.generator_adversarial_loss),
            _cross_entropy,
            lambda x: _cross_entropy(-x),
        ),
        (
            (
                losses.least_squares_discriminator_loss,
                losses.least_squares_generator_loss,
            ),
            lambda x: (x - 1) ** 2,
            lambda x: x**2,
        ),
    ],
    ids=["cross-entropy", "least squares"],
)
def test_adversarial_losses_are_the_published_ones(ours, on_real, on_fake):
    real, fake = 2 * _array(2, 3, 4, 1), 2 * _array(2, 3, 4, 1)
    discriminator, generator = ours
    expected = (on_real(real).mean() + on_fake(fake).mean()) / 2
    np.testing.assert_allclose(discriminator(real, fake), expected, rtol=1e-5)
    np.testing.assert_allclose(generator(fake), on_real(fake).mean(), rtol=1e-5)


def test_cosine_distance_is_scipys():
    one, other = _array(3, 5), _array(3, 5)
    expected = np.mean(
        [scipy.spatial.distance.cosine(a, b) for a, b in zip(one, other, strict=True)]
    )
    np.testing.assert_allclose(losses.cosine_distance(one, other), expected, rtol=1e-5)


def test_context_matching_weighs_each_map_and_leaves_the_real_ones():
    fake, real = [_array(2, 4, 4, 3), _array(2, 2, 2, 5)], [_array(2, 4, 4, 3)] * 2
    real[1] = _array(2, 2, 2, 5)
    expected = 0.8 * sum(np.abs(f - r).mean() for f, r in zip(fake, real, strict=True))
    loss = losses.context_matching(fake, real, jnp.ones(2))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    grads = jax.grad(losses.context_matching, argnums=1)(fake, real, jnp.ones(2))
    assert all((g == 0).all() for g in grads)


def test_context_matching_counts_samples_by_their_weight():
    fake, real = [_array(3, 4, 4, 2)], [_array(3, 4, 4, 2)]
    weight = jnp.array([1.0, 0.0, 0.25])
    apart = np.abs(fake[0] - real[0]).mean((1, 2, 3))
    loss = losses.context_matching(fake, real, weight)
    np.testing.assert_allclose(loss, 0.8 * (apart[0] + apart[2] / 4) / 3, rtol=1e-5)
    grads = jax.grad(losses.context_matching)(fake, real, weight)[0]
    assert (grads[1] == 0).all()
    assert (grads[2] != 0).any()


def test_identity_leak_counts_pairs_of_two_people_and_moves_only_the_composite():
    source, warped_condition = _array(4, 5), _array(4, 5)
    nearness = np.array([[0.5], [0.5], [1.5], [0.25]], np.float32)
    composite = source + nearness * (warped_condition - source)
    same = np.array([True, False, False, False])
    apart = np.linalg.norm(warped_condition - source, axis=-1)
    expected = (0.5 * apart[1] + 0 + 0.75 * apart[3]) / 3
    loss, grads = jax.value_and_grad(losses.identity_leak, argnums=(0, 1, 2))(
        composite, warped_condition, source, _weights(~same)
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert (grads[0][jnp.array([0, 2])] == 0).all()
    assert ((composite - source) * -grads[0] > 0)[
        jnp.array([1, 3])
    ].all()  # away from it
    assert (grads[1] == 0).all()
    assert (grads[2] == 0).all()


def test_reconstruction_counts_supervised_pixels_inside_the_mask():
    output, source = _array(3, 4, 5, 3), _array(3, 4, 5, 3)
    mask = (RNG.random((3, 4, 5, 1)) < 0.5).astype(np.float32)
    same = np.array([True, False, True])
    composite = mask * output + (1 - mask) * source
    expected = np.abs(composite - source)[same].mean()
    result = losses.reconstruction(output, source, mask, _weights(same))
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_reconstruction_without_supervised_pairs_is_zero():
    a, b = _array(2, 4, 4, 3), _array(2, 4, 4, 3)
    mask = np.ones((2, 4, 4, 1), np.float32)
    assert losses.reconstruction(a, b, mask, _weights(np.zeros(2, bool))) == 0


def test_low_frequency_l1_compares_means_of_cells_in_the_other_pairs():
    output, warped_condition = _array(3, 16, 24, 3), _array(3, 16, 24, 3)
    same = np.array([True, False, False])
    cells = (output - warped_condition)[~same].reshape(2, 2, 8, 3, 8, 3).mean((2, 4))
    result = losses.low_frequency_l1(output, warped_condition, _weights(~same))
    np.testing.assert_allclose(result, np.abs(cells).mean(), rtol=1e-4)
    nobody = _weights(np.zeros(3, bool))
    assert losses.low_frequency_l1(output, warped_condition, nobody) == 0


@given(st.lists(st.booleans(), min_size=12, max_size=12), st.sampled_from([2, 3, 4, 6]))
def test_means_over_parts_of_a_batch_add_up_however_uneven_they_are(mask, count):
    values, mask = np.linspace(-1, 3, 24).reshape(12, 2) ** 3, np.array(mask)
    share = np.full(12, mask.mean(), np.float32)
    fields = (jnp.asarray(x).reshape(count, -1, *x.shape[1:]) for x in (values, share))
    split = zip(*fields, jnp.asarray(mask).reshape(count, -1), strict=True)
    parts = [
        losses.weighted_mean(part, losses.share_weights(counts, whole))
        for part, whole, counts in split
    ]
    expected = values[mask].mean() if mask.any() else 0
    np.testing.assert_allclose(np.mean(parts), expected, rtol=1e-4, atol=1e-6)
