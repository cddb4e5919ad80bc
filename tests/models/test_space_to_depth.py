"""Convolutions of blocks against plain ones."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.models.convolution import Conv, UpConv, depth_to_space
from anonygan_jax.models.discriminator import PatchDiscriminator
from anonygan_jax.models.generator import Generator
from anonygan_jax.models.heatmaps import landmark_heatmaps
from anonygan_jax.models.layers import BatchNorm
from anonygan_jax.models.space_to_depth import SpaceToDepthConv, reflect_blocks

RNG = np.random.default_rng(0)


def _features(height: int, width: int, channels: int) -> jax.Array:
    return jnp.asarray(RNG.standard_normal((2, height, width, channels)), jnp.float32)


def space_to_depth(x):
    """Blocks of 2x2 pixels by a transposition, [B, H/2, W/2, 4C]."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 2, width // 2, -1)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=15)
def test_blocks_hold_pixels_side_by_side_and_are_undone(height, width, channels):
    x = _features(2 * height, 2 * width, channels)
    blocks = space_to_depth(x)
    assert blocks.shape == (2, height, width, 4 * channels)
    np.testing.assert_array_equal(depth_to_space(blocks), x)
    np.testing.assert_array_equal(
        blocks[:, 0, 0], x[:, :2, :2].reshape(2, 4 * channels)
    )


@pytest.mark.parametrize("axis", [1, 2])
def test_borders_are_mirrored_pixel_by_pixel(axis):
    x = _features(8, 10, 3)
    widths = [(0, 0)] * 4
    widths[axis] = (4, 4)
    expected = np.pad(x, widths, mode="reflect")
    np.testing.assert_array_equal(
        depth_to_space(reflect_blocks(space_to_depth(x), axis)), expected
    )


@pytest.mark.parametrize(
    ("side", "stride", "padding", "reflect"),
    [
        (7, 1, 3, True),
        (4, 2, 1, False),
        (3, 2, 1, False),
        (1, 1, 0, False),
        (3, 1, 1, False),
        (5, 1, 2, True),
    ],
)
@pytest.mark.parametrize("takes_blocks", [False, True], ids=["image", "blocks"])
def test_equals_the_plain_convolution(side, stride, padding, reflect, takes_blocks):
    x = _features(12, 16, 3)
    fields = {"stride": stride, "padding": padding, "reflect": reflect}
    plain = Conv(5, side, use_bias=True, **fields)
    variables = plain.init(jax.random.key(0), x)
    variables["params"]["bias"] += jnp.arange(5.0)
    conv = SpaceToDepthConv(5, side, use_bias=True, takes_blocks=takes_blocks, **fields)

    def by_blocks(variables, x):
        y = conv.apply(variables, space_to_depth(x) if takes_blocks else x)
        return y if stride == 2 else depth_to_space(y)

    expected, pullback = jax.vjp(plain.apply, variables, x)
    back = jnp.asarray(RNG.standard_normal(expected.shape), jnp.float32)
    result, its_pullback = jax.vjp(by_blocks, variables, x)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    chex.assert_trees_all_close(its_pullback(back), pullback(back), atol=1e-4)


def test_doubling_can_return_blocks():
    x = _features(5, 4, 6)
    variables = UpConv(3).init(jax.random.key(0), x)
    blocks = UpConv(3, use_space_to_depth=True).apply(variables, x)
    np.testing.assert_array_equal(depth_to_space(blocks), UpConv(3).apply(variables, x))


def _points() -> jax.Array:
    return jnp.asarray(RNG.uniform(-2, 60, (2, 68, 2)), jnp.float32)


@pytest.mark.parametrize(
    "heatmap_grid",
    [pytest.param(None, id="one-hot", marks=pytest.mark.slow), (52, 44)],
)
def test_generators_with_and_without_blocks_agree(heatmap_grid, doubles):
    fields = {"width": 4, "num_blocks": 1, "num_nodes": 4, "dropout_rate": 0.0}
    plain = Generator(heatmap_grid=heatmap_grid, **fields)
    blocks = plain.clone(use_space_to_depth=True)
    inputs = (_features(56, 48, 3), _features(56, 48, 3), _points(), _points())
    inputs = jax.tree.map(lambda x: x.astype(jnp.float64), inputs)
    variables = jax.jit(plain.init)(jax.random.key(0), *inputs)
    chex.assert_trees_all_equal_shapes(
        variables, jax.eval_shape(blocks.init, jax.random.key(0), *inputs)
    )
    _assert_equal_outputs_and_gradients(plain, blocks, variables, inputs)


@pytest.mark.parametrize("condition", ["image", "heatmaps"])
def test_discriminators_with_and_without_blocks_agree(condition, doubles):
    image = _features(56, 48, 3).astype(jnp.float64)
    given = landmark_heatmaps(_points().astype(jnp.float64), (56, 48))
    if condition == "image":
        given = image[:, ::-1]
    plain = PatchDiscriminator(4)
    variables = jax.jit(plain.init, static_argnums=3)(
        jax.random.key(0), image, given, False
    )
    blocks = plain.clone(use_space_to_depth=True)
    _assert_equal_outputs_and_gradients(plain, blocks, variables, (image, given))


def _assert_equal_outputs_and_gradients(plain, blocks, variables, inputs) -> None:
    """Of a training step: outputs, batch statistics, gradients of the parameters."""

    def outputs_and_gradients(module):
        def energy(params):
            outputs = module.apply(
                variables | {"params": params}, *inputs, train=True, mutable=True
            )
            return sum(
                jnp.square(x).sum() for x in jax.tree.leaves(outputs[0])
            ), outputs

        return jax.jit(jax.grad(energy, has_aux=True))(variables["params"])

    expected = outputs_and_gradients(plain)
    result = outputs_and_gradients(blocks)
    chex.assert_trees_all_close(result, expected, rtol=1e-5, atol=1e-5)


def test_without_blocks_programs_are_the_same_on_all_platforms():
    generator = Generator(width=4, num_blocks=1, num_nodes=4)
    inputs = (_features(16, 12, 3), _features(16, 12, 3), _points(), _points())
    variables = jax.eval_shape(generator.init, jax.random.key(0), *inputs)
    program = str(jax.make_jaxpr(generator.apply)(variables, *inputs))
    assert "platform_index" not in program


@pytest.fixture
def doubles():
    """Double precision: what rounding makes of random features is none of it."""
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("train", [True, False])
def test_pixels_of_a_block_share_statistics(train, doubles):
    x = jnp.asarray(3 + np.asarray(_features(8, 6, 4), np.float64) * np.arange(1.0, 5))
    plain = BatchNorm()
    variables = plain.init(jax.random.key(0), x, True)
    variables["batch_stats"]["mean"] += jnp.arange(4.0)
    expected = plain.apply(variables, x, train, mutable=["batch_stats"])
    y, stats = BatchNorm(num_pixels=4).apply(
        variables, space_to_depth(x), train, mutable=["batch_stats"]
    )
    chex.assert_trees_all_close(
        (depth_to_space(y), stats), expected, rtol=1e-12, atol=1e-12
    )
