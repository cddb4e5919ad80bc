"""Loss terms against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial

from anonygan_jax.systems import losses

RNG = np.random.default_rng(0)


def _array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize(
    ("form", "on_real", "on_fake", "fooling"),
    [
        ("lsgan", lambda x: (x - 1) ** 2, lambda x: x**2, lambda x: (x - 1) ** 2),
        (
            "hinge",
            lambda x: np.maximum(1 - x, 0),
            lambda x: np.maximum(1 + x, 0),
            lambda x: -x,
        ),
        (
            "bce",
            lambda x: np.log1p(np.exp(-x)),
            lambda x: np.log1p(np.exp(x)),
            lambda x: np.log1p(np.exp(-x)),
        ),
    ],
)
def test_adversarial_forms_are_the_published_ones(
    form, on_real, on_fake, generator_adversarial_loss
):
    real, fake = 2 * _array(2, 3, 4, 1), 2 * _array(2, 3, 4, 1)
    expected = (on_real(real).mean() + on_fake(fake).mean()) / 2
    result = losses.discriminator_loss(real, fake, form)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    result = losses.generator_adversarial_loss(fake, form)
    np.testing.assert_allclose(
        result, generator_adversarial_loss(fake).mean(), rtol=1e-5
    )


def test_unlikeness_is_one_minus_the_cosine():
    one, other = _array(3, 5), _array(3, 5)
    expected = np.mean(
        [scipy.spatial.distance.cosine(a, b) for a, b in zip(one, other, strict=True)]
    )
    np.testing.assert_allclose(losses.cosine_distance(one, other), expected, rtol=1e-5)


def test_unknown_forms_and_policies_are_named():
    with pytest.raises(ValueError, match=r"losses\.adversarial is 'wgan', wanted one"):
        losses.LossConfig(adversarial="wgan")
    with pytest.raises(ValueError, match=r"losses\.diff_augment has zoom, wanted some"):
        losses.LossConfig(diff_augment=("colour", "zoom"))


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


def test_descriptors_count_for_strangers_and_move_only_what_was_made():
    source, warped_condition = _array(4, 5), _array(4, 5)
    nearness = np.array([[0.5], [0.5], [1.5], [0.25]], np.float32)
    made = source + nearness * (warped_condition - source)
    same = jnp.array([True, False, False, False])
    apart = np.linalg.norm(warped_condition - source, axis=-1)
    expected = (0.5 * apart[1] + 0 + 0.75 * apart[3]) / 3
    loss, grads = jax.value_and_grad(losses.identity_leak, argnums=(0, 1, 2))(
        made, warped_condition, source, same
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert (grads[0][jnp.array([0, 2])] == 0).all()
    assert ((made - source) * -grads[0] > 0)[jnp.array([1, 3])].all()  # away from it
    assert (grads[1] == 0).all()
    assert (grads[2] == 0).all()


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
    output, warped_condition = _array(3, 16, 24, 3), _array(3, 16, 24, 3)
    same = np.array([True, False, False])
    cells = (output - warped_condition)[~same].reshape(2, 2, 8, 3, 8, 3).mean((2, 4))
    result = losses.low_frequency_l1(output, warped_condition, jnp.asarray(same))
    np.testing.assert_allclose(result, np.abs(cells).mean(), rtol=1e-4)
    assert losses.low_frequency_l1(output, warped_condition, jnp.ones(3, bool)) == 0
