"""Discriminators in training against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from anonygan_jax.models.config import ModelConfig
from anonygan_jax.systems.discriminators import DISCRIMINATORS, DiscriminatorUpdate
from anonygan_jax.systems.pair import Pair
from anonygan_jax.systems.train_state import TrainState

MODEL = ModelConfig(68, True, 4, 1, 4, 0.0, None, 4)
RNG = np.random.default_rng(0)
REAL, FAKE = (jnp.asarray(RNG.uniform(-1, 1, (2, 4, 4, 3)), jnp.float32) for _ in "rf")
PAIR = Pair(REAL, REAL, None, None, None, None, None)


class Linear:
    """Logits at four places, linear in the image."""

    def apply(self, variables, image, condition, train, mutable):
        assert train
        logits = jnp.einsum("bhwc,hwcl->bl", image, variables["params"])
        return ([image], logits.reshape(-1, 2, 2, 1)), {"batch_stats": {}}


def _result(name: str):
    """A linear discriminator's result on real and generated images, and its weights."""
    update = DiscriminatorUpdate(name, MODEL)
    update.network = Linear()
    params = jnp.asarray(RNG.standard_normal((4, 4, 3, 4)), jnp.float32)
    state = TrainState(
        0, {update.network_name: params}, {update.network_name: {}}, {}, {}
    )
    return update(state, PAIR, FAKE), np.asarray(params)


def test_loss_and_gradients_are_those_of_real_and_generated_images():
    result, params = _result("image")
    real, fake = (np.einsum("bhwc,hwcl->bl", x, params) for x in (REAL, FAKE))
    loss = (np.logaddexp(0, -real).mean() + np.logaddexp(0, fake).mean()) / 2
    np.testing.assert_allclose(result.loss, loss, rtol=1e-5)
    expected = np.einsum("bl,bhwc->hwcl", scipy.special.expit(real) - 1, REAL) / 16
    expected += np.einsum("bl,bhwc->hwcl", scipy.special.expit(fake), FAKE) / 16
    np.testing.assert_allclose(result.grads, expected, atol=1e-4)
    to_logits = np.asarray(RNG.standard_normal((2, 2, 2, 1)), np.float32)
    to_image = result.image_pullback(([jnp.zeros_like(FAKE)], jnp.asarray(to_logits)))
    expected = np.einsum("bl,hwcl->bhwc", to_logits.reshape(2, 4), params)
    np.testing.assert_allclose(to_image, expected, atol=1e-4)


def test_the_identity_discriminator_has_one_logit_for_a_face():
    result, params = _result("identity")
    expected = np.einsum("bhwc,hwcl->bl", REAL, params).mean(-1)
    for name, shape in (("identity", (2, 1, 1, 1)), ("appearance", (2, 2, 2, 1))):
        assert _result(name)[0].real[1].shape == shape
    np.testing.assert_allclose(result.real[1].ravel(), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("appearance", 3 + 3), ("pose", 3 + 68), ("image", 3), ("identity", 3 + 3)],
)
def test_each_discriminator_takes_its_part_of_a_pair(name, channels):
    condition, source = jnp.ones((1, 48, 48, 3)), jnp.zeros((1, 48, 48, 3))
    points = jnp.ones((1, 68, 2))
    pair = Pair(condition, source, source[..., :1], source, points, points, None)
    update = DiscriminatorUpdate(name, MODEL)
    variables = jax.eval_shape(update.init, jax.random.key(0), pair)
    assert variables["params"]["conv0"]["kernel"].shape[2] == channels
    image = DISCRIMINATORS[name].real_input(pair).image
    assert (image == (condition if name == "image" else source)).all()
