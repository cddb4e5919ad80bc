"""The first layer over heatmaps, in the ways there are to compute it.

    python -m benchmarks.heatmap_speed --batch_size=1

Dense heatmaps, as in the release, and our outer products; outer products and scattered
kernels, with the gradient of the kernel, where heatmaps are single pixels.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from absl import app, flags
from ml_collections import config_flags

from anonygan_jax.models.heatmaps import (
    convolve_heatmaps,
    landmark_heatmaps,
    scatter_onehot_kernels,
)
from benchmarks import in_turn
from benchmarks.random_pairs import random_batch

_CONFIG = config_flags.DEFINE_config_file(
    "config", "configs/celeba.py:paper", "Whose size of images."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Faces.")
_RUNS = flags.DEFINE_integer("runs", 5, "Timed runs of each, after one warm-up.")

Size = tuple[int, int]


def first_layers(
    points: jax.Array, size: Size, kernel: jax.Array
) -> dict[str, Callable]:
    """The convolution over 68 heatmaps, dense and as outer products."""

    def dense(points: jax.Array) -> jax.Array:
        maps = landmark_heatmaps(points, size, (218, 178)).dense()
        maps = jnp.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect")
        numbers = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            maps, kernel, (1, 1), "VALID", dimension_numbers=numbers
        )

    def outer(points: jax.Array) -> jax.Array:
        heatmaps = landmark_heatmaps(points, size, (218, 178))
        return convolve_heatmaps(heatmaps, kernel, 1, 3, "reflect")

    compiled = {"dense": jax.jit(dense), "outer": jax.jit(outer)}
    return {
        f"first layer, {name}": lambda f=f: f(points) for name, f in compiled.items()
    }


def pixel_layers(
    points: jax.Array, size: Size, kernel: jax.Array
) -> dict[str, Callable]:
    """The same layer over heatmaps of one pixel, with the gradient of its kernel."""
    heatmaps = landmark_heatmaps(points, size)

    def gradient(layer: Callable) -> Callable:
        def energy(kernel: jax.Array) -> jax.Array:
            return jnp.square(layer(heatmaps, kernel, 1, 3, "reflect")).sum()

        compiled = jax.jit(jax.grad(energy))
        return lambda: compiled(kernel)

    return {
        "first layer's gradient, products": gradient(convolve_heatmaps),
        "first layer's gradient, scattered": gradient(scatter_onehot_kernels),
    }


def main(_arguments: list[str]) -> None:
    """Prints a line for each way, and the ratio of each two."""
    config, count = _CONFIG.value, _BATCH_SIZE.value
    points = random_batch(config, count).source_points_xy
    kernel = jax.random.normal(jax.random.key(0), (7, 7, 68, 64))
    for layers in (first_layers, pixel_layers):
        functions = layers(points, tuple(config.data.image_size), kernel)
        times = in_turn.time_in_turn(functions, _RUNS.value)
        for name, seconds in times.items():
            print(f"{name:38s} {in_turn.milliseconds(seconds, count)}", flush=True)
        print(f"ratio: {in_turn.median_ratio(*times.values()):.1f}")


if __name__ == "__main__":
    app.run(main)
