"""The generator against the official one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_values import load, nhwc, points_xy, state_dict

from anonygan_jax.models.generator import Generator
from anonygan_jax.weights.anonygan import generator_variables

SMALL = Generator(width=4, num_blocks=1, num_nodes=4)


@pytest.mark.parametrize("variant", ["full68", "noatt68", "noatt29"])
def test_equals_the_official_generator(variant):
    golden = load("anonygan_generator_small.npz")
    values = {
        name: golden[f"generator_{variant}_small_{name}"]
        for name in (
            "condition",
            "context",
            "condition_landmarks_yx",
            "source_landmarks_yx",
            "output",
        )
    }
    condition_points = points_xy(values["condition_landmarks_yx"])
    generator = Generator(
        num_landmarks=condition_points.shape[1],
        use_landmark_attention=variant == "full68",
    )
    output = jax.jit(generator.apply)(
        generator_variables(state_dict(f"anonygan_generator_{variant}")),
        nhwc(values["condition"]),
        nhwc(values["context"]),
        condition_points,
        points_xy(values["source_landmarks_yx"]),
    )
    difference = np.abs(output - nhwc(values["output"]))
    assert difference.max() < 1e-3
    assert difference.mean() < 1e-5


def _inputs(height: int = 16, width: int = 12, num_landmarks: int = 68):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 1, height, width, 3)).astype(np.float32)
    points = rng.uniform(0, 12, (2, 1, num_landmarks, 2)).astype(np.float32)
    return jnp.asarray(images[0]), jnp.asarray(images[1]), *map(jnp.asarray, points)


def test_has_the_papers_number_of_parameters():
    variables = jax.eval_shape(lambda: Generator().init(jax.random.key(0), *_inputs()))
    count = sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(variables["params"]))
    assert round(count / 1e6, 2) == 28.39


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (_inputs(num_landmarks=29), "wanted \\(1, 68, 2\\)"),
        (_inputs(height=18), "multiples of 4"),
        ((_inputs()[0], _inputs(20)[1], *_inputs()[2:]), "must both be"),
    ],
)
def test_inputs_of_other_shapes_are_refused(inputs, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(SMALL.init, jax.random.key(0), *inputs)


def test_source_points_and_condition_both_matter():
    inputs = _inputs()
    key = jax.random.key(0, impl="rbg")
    variables = jax.jit(SMALL.init)(key, *inputs)
    variables = jax.tree.map(lambda x: 10 * x, variables)  # so that both weigh
    apply = jax.jit(SMALL.apply)
    output = apply(variables, *inputs)
    for changed in range(4):
        other = list(inputs)
        other[changed] = other[changed][:, ::-1]
        assert np.abs(apply(variables, *other) - output).max() > 1e-3


WITH_PRIOR = Generator(
    width=4, num_blocks=1, num_nodes=4, uses_warped_condition=True, landmark_dropout=1.0
)


@pytest.fixture(scope="module")
def with_prior():
    warped_condition = jnp.asarray(
        np.random.default_rng(5).uniform(-1, 1, (1, 16, 12, 3))
    )
    inputs = (*_inputs(), warped_condition.astype(jnp.float32))
    key = jax.random.key(0, impl="rbg")
    return inputs, jax.jit(WITH_PRIOR.init)(key, *inputs)


def test_training_begins_with_the_warped_face(with_prior):
    inputs, variables = with_prior
    output = WITH_PRIOR.apply(variables, *inputs)
    share = 1 / (1 + np.exp(2.0))
    expected = (1 - share) * inputs[-1]
    # What is drawn at first is near 0, and so is the attention's own logit.
    assert np.abs(output - expected).max() < 1.5 * share
    assert np.abs(output - expected).mean() < 0.02
    with pytest.raises(ValueError, match="just when uses_warped_condition is set"):
        WITH_PRIOR.apply(variables, *inputs[:-1])


def test_landmarks_are_hidden_in_training_alone(with_prior):
    inputs, variables = with_prior
    variables = jax.tree.map(lambda x: 10 * x, variables)
    moved = list(inputs)
    moved[2], moved[3] = inputs[2] / 2, inputs[3] / 2
    rngs = {"dropout": jax.random.key(1)}

    @jax.jit
    def train(*inputs):
        return WITH_PRIOR.apply(
            variables, *inputs, train=True, rngs=rngs, mutable=["batch_stats"]
        )[0]

    np.testing.assert_array_equal(train(*inputs), train(*moved))
    apply = jax.jit(WITH_PRIOR.apply)
    apart = np.abs(apply(variables, *inputs) - apply(variables, *moved))
    assert apart.max() > 1e-3
