"""CIAGAN's networks against the official ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_values import load, nhwc, state_dict

from anonygan_jax.models.ciagan.generator import CiaganConfig, CiaganGenerator, Critic
from anonygan_jax.models.ciagan.siamese import Siamese
from anonygan_jax.weights import ciagan


def with_vectors(weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Official weights with the vectors of their spectral norms, by numpy's SVD."""
    weights = dict(weights)
    for name in [name for name in weights if name.endswith("weight_orig")]:
        matrix = weights[name].reshape(len(weights[name]), -1)
        left, _, right = np.linalg.svd(matrix, full_matrices=False)
        prefix = name.removesuffix("orig")
        weights[f"{prefix}u"], weights[f"{prefix}v"] = left[:, 0], right[0]
    return weights


@pytest.fixture(scope="module")
def golden():
    return load("ciagan.npz")


def test_generator_equals_the_official_one(golden):
    weights = with_vectors(state_dict("ciagan_generator"))
    variables = ciagan.generator_variables(weights)
    assert list(golden["identity"]) == [7, 1033]
    output = jax.jit(CiaganGenerator().apply, static_argnums=3)(
        variables,
        nhwc(golden["input"]),
        jax.nn.one_hot(golden["identity"], 1200),
        False,
    )
    assert output.shape == (2, 128, 128, 3)
    expected = nhwc(golden["generator_output_every_4th"])
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(output[:, ::4, ::4], expected, atol=1e-3)


def test_critic_equals_the_official_one(golden):
    weights = with_vectors(state_dict("ciagan_discriminator"))
    picture = nhwc(golden["input"])
    output = jax.jit(Critic().apply, static_argnums=3)(
        ciagan.critic_variables(weights),
        picture[..., :3],
        picture[..., 3:],
        False,
    )
    # The two pictures differ in the fifth digit only.
    np.testing.assert_allclose(output, golden["discriminator_output"], atol=1e-6)


def test_identity_network_equals_the_official_one(golden):
    variables = ciagan.siamese_variables(state_dict("ciagan_siamese"))
    picture = nhwc(golden["input"])[..., :3]
    output = jax.jit(Siamese(1200).apply, static_argnums=2)(variables, picture, False)
    np.testing.assert_allclose(output, golden["siamese_output"], atol=1e-4)


def test_training_finds_the_largest_singular_value():
    """Powers of a kernel's matrix, one a step, lead to numpy's singular value."""
    critic = Critic(4, 2)
    image = jax.random.uniform(jax.random.key(0), (2, 16, 16, 3))
    variables = critic.init(jax.random.key(1), image, image, False)

    @jax.jit
    def step(stats):
        inputs = {"params": variables["params"], "batch_stats": stats}
        _, updates = critic.apply(inputs, image, image, True, mutable=["batch_stats"])
        return updates["batch_stats"]

    stats = variables["batch_stats"]
    for _ in range(200):
        stats = step(stats)
    kernel = variables["params"]["down1"]["conv2"]["Conv_0"]["kernel"]
    expected = np.linalg.norm(np.reshape(kernel, (-1, kernel.shape[-1])), 2)
    found = stats["down1"]["conv2"]["SpectralNorm_0"]["Conv_0/kernel/sigma"]
    assert found == pytest.approx(expected, rel=1e-3)


def test_sizes_and_fields_that_cannot_be_are_told():
    config = CiaganConfig(num_identities=3, width=4, num_blocks=4)
    config.check_size((64, 96))
    with pytest.raises(ValueError, match="64x90, wanted multiples of 16"):
        config.check_size((64, 90))
    with pytest.raises(ValueError, match="num_identities is under 1"):
        CiaganConfig(num_identities=0)


def test_a_smaller_generator_keeps_the_pictures_size():
    generator = CiaganConfig(num_identities=3, width=4, num_blocks=3).generator()
    given, person = jnp.zeros((1, 40, 32, 6)), jnp.ones((1, 3))
    output = jax.eval_shape(
        lambda key: generator.init_with_output(key, given, person, False)[0],
        jax.random.key(0),
    )
    assert output.shape == (1, 40, 32, 3)
