"""Discriminators in training against closed forms."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.models.config import ModelConfig
from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.systems.discriminators import DiscriminatorInput, DiscriminatorUpdate
from anonygan_jax.systems.losses import LossConfig
from anonygan_jax.systems.train_state import TrainState

MODEL = ModelConfig(68, True, 4, 1, 4, 0.0, None, 4)
RNG = np.random.default_rng(0)
REAL, FAKE = (jnp.asarray(RNG.uniform(-1, 1, (2, 4, 4, 3)), jnp.float32) for _ in "rf")


class Linear:
    """Logits at four places, linear in the picture."""

    def apply(self, variables, image, condition, train, mutable):
        assert condition is None
        assert train
        logits = jnp.einsum("bhwc,hwcl->bl", image, variables["params"])
        return ([image], logits.reshape(-1, 2, 2, 1)), {"batch_stats": {}}


def _judge(name: str = "image", **fields) -> tuple[DiscriminatorUpdate, jax.Array]:
    """A linear judge and its weights."""
    discriminator = DiscriminatorUpdate(
        f"{name}_discriminator", MODEL, LossConfig(**fields)
    )
    discriminator._network = Linear()
    return discriminator, jnp.asarray(RNG.standard_normal((4, 4, 3, 4)), jnp.float32)


def _judgement(discriminator, params):
    state = TrainState(
        0, {discriminator.name: params}, {discriminator.name: {}}, {}, {}
    )
    return discriminator(state, DiscriminatorInput(REAL), FAKE, jax.random.key(0))


def test_r1_is_half_gamma_times_the_squared_slope_of_the_mean_logit():
    discriminator, params = _judge(r1=3.0, adversarial="lsgan")
    slope = np.asarray(params).mean(-1)
    results = _judgement(discriminator, params)
    np.testing.assert_allclose(results.penalty, 1.5 * (slope**2).sum(), rtol=1e-5)
    without, _ = _judge(adversarial="lsgan")
    more = results.grads - _judgement(without, params).grads
    expected = 1.5 * 2 * slope[..., None] / 4 * np.ones(4)
    np.testing.assert_allclose(more, expected, atol=1e-4)


def test_gradients_are_those_of_real_and_fake_pictures():
    discriminator, params = _judge(adversarial="lsgan")
    results = _judgement(discriminator, params)
    real, fake = (np.einsum("bhwc,hwcl->bl", x, params) for x in (REAL, FAKE))
    loss = (np.square(real - 1).mean() + np.square(fake).mean()) / 2
    np.testing.assert_allclose(results.loss, loss, rtol=1e-5)
    expected = np.einsum("bl,bhwc->hwcl", real - 1, REAL) / 8
    expected += np.einsum("bl,bhwc->hwcl", fake, FAKE) / 8
    np.testing.assert_allclose(results.grads, expected, atol=1e-4)
    to_logits = np.asarray(RNG.standard_normal((2, 2, 2, 1)), np.float32)
    to_image = results.image_pullback(([jnp.zeros_like(FAKE)], jnp.asarray(to_logits)))
    expected = np.einsum("bl,hwcl->bhwc", to_logits.reshape(2, 4), params)
    np.testing.assert_allclose(to_image, expected, atol=1e-4)


def test_identity_is_judged_of_whole_faces():
    discriminator, params = _judge("identity")
    results = _judgement(discriminator, params)
    assert results.real[1].shape == (2, 1, 1, 1)
    expected = np.einsum("bhwc,hwcl->bl", REAL, params).mean(-1)
    np.testing.assert_allclose(results.real[1].ravel(), expected, rtol=1e-4)


def test_real_and_fake_pictures_are_changed_before_they_are_judged():
    discriminator, params = _judge(diff_augment=("colour",), adversarial="lsgan")
    plain, _ = _judge(adversarial="lsgan")
    changed, same = _judgement(discriminator, params), _judgement(plain, params)
    assert np.abs(changed.real[1] - same.real[1]).min() > 1e-3
    assert np.abs(changed.fake[1] - same.fake[1]).min() > 1e-3


@pytest.fixture(scope="module")
def spectral():
    """A discriminator with normalised kernels, and its variables."""
    network = PatchDiscriminator(4, use_spectral_norm=True)
    image = jnp.asarray(RNG.uniform(-1, 1, (2, 48, 48, 3)), jnp.float32)
    return network, network.init(jax.random.key(0), image, None, False), image


def test_kernels_are_divided_by_their_largest_singular_values(spectral):
    network, variables, image = spectral
    plain = PatchDiscriminator(4)
    train = jax.jit(
        lambda v: network.apply(v, image, None, True, mutable=["batch_stats"])
    )
    for _ in range(60):
        _, updates = train(variables)
        variables = {"params": variables["params"], **updates}
    (_, logits), _ = train(variables)
    params = {}
    for name, layer in variables["params"].items():
        params[name] = dict(layer)
        if "kernel" in layer:
            kernel = np.asarray(layer["kernel"])
            matrix = kernel.reshape(-1, kernel.shape[-1])
            largest = np.linalg.svd(matrix)[1][0]
            params[name]["kernel"] = kernel / largest
            (found,) = (
                value
                for key, value in variables["batch_stats"][
                    f"{name}_spectral_norm"
                ].items()
                if key.endswith("sigma")
            )
            np.testing.assert_allclose(found, largest, rtol=1e-3)
    stats = {
        name: value
        for name, value in variables["batch_stats"].items()
        if not name.endswith("spectral_norm")
    }
    (_, expected), _ = plain.apply(
        {"params": params, "batch_stats": stats},
        image,
        None,
        True,
        mutable=["batch_stats"],
    )
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-3)


def test_the_image_alone_and_heatmaps_are_judged():
    shown = DiscriminatorInput(
        jnp.zeros((1, 48, 48, 3)), points_xy=jnp.ones((1, 68, 2))
    )
    for discriminator_input, channels in (
        (shown, 71),
        (dataclasses.replace(shown, points_xy=None), 3),
    ):
        discriminator = DiscriminatorUpdate("pose_discriminator", MODEL, LossConfig())
        variables = jax.eval_shape(
            discriminator.init, jax.random.key(0), discriminator_input
        )
        assert variables["params"]["conv0"]["kernel"].shape[2] == channels
