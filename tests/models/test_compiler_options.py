"""XLA does as the options say: convolutions its own, sums by the library."""

import jax
import jax.numpy as jnp
import pytest

from anonygan_jax.models.compiler_options import compiler_options


def _convolve(image: jax.Array) -> jax.Array:
    sizes = ("NHWC", "HWIO", "NHWC")
    kernel = jnp.ones((3, 3, 16, 32))
    return jax.lax.conv_general_dilated(
        image, kernel, (1, 1), "VALID", dimension_numbers=sizes
    )


def _sum(image: jax.Array) -> jax.Array:
    return jnp.square(image).sum((0, 1, 2))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="options of CPUs")
@pytest.mark.parametrize(
    ("function", "by_default", "with_options"),
    [(_convolve, True, False), (_sum, True, True)],
)
def test_the_library_gets_sums_only(function, by_default, with_options):
    lowered = jax.jit(function).lower(jnp.ones((1, 40, 40, 16)))
    assert ("__ynn_fusion" in lowered.compile().as_text()) == by_default
    chosen = lowered.compile(compiler_options()).as_text()
    assert ("__ynn_fusion" in chosen) == with_options


@pytest.mark.parametrize("platform", ["gpu", "tpu"])
def test_accelerators_have_no_options(platform):
    assert compiler_options(platform) is None
