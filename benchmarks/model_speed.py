"""Generator and training step of a config, per image, with peak memory.

    python -m benchmarks.model_speed --batch_size=1
    python -m benchmarks.model_speed --batch_size=4

The peers are timed in turn in the same run: the generator's first layer over dense
heatmaps, as in the release, and our outer products; outer products and scattered
kernels, with their gradients, where heatmaps are single pixels; and the step as XLA
compiles it for a CPU by default.
"""

import functools
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from ml_collections import config_flags

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.heatmaps import (
    convolve_heatmaps,
    landmark_heatmaps,
    scatter_onehot_kernels,
)
from anonygan_jax.systems.anonygan import AnonyGAN, Pair
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory
from anonygan_jax.training.step import TrainStep

_CONFIG = config_flags.DEFINE_config_file(
    "config", "configs/celeba.py:paper", "Whose networks."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Pairs per step.")
_RUNS = flags.DEFINE_integer("runs", 5, "Timed runs of each, after one warm-up.")


def timed(function: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


def report(name: str, seconds: list[float]) -> None:
    """One line: minimum, median, maximum per image."""
    per_image = [1e3 * s / _BATCH_SIZE.value for s in seconds]
    low, mid, high = min(per_image), statistics.median(per_image), max(per_image)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name:38s} {low:9.1f} {mid:9.1f} {high:9.1f} ms per image, "
        f"peak so far {peak:.2f} GiB",
        flush=True,
    )


def random_batch(size: tuple[int, int], with_warped: bool = False) -> PairBatch:
    """Noise with landmarks inside the picture."""
    rng = np.random.default_rng(0)
    shape = (_BATCH_SIZE.value, *size, 3)
    points = rng.uniform(0, min(size), (2, _BATCH_SIZE.value, 68, 2))
    images = [jnp.asarray(rng.integers(0, 256, shape, np.uint8)) for _ in range(2)]
    return PairBatch(
        images[0],
        images[1],
        jnp.asarray(points[0], jnp.float32),
        jnp.asarray(points[1], jnp.float32),
        jnp.arange(_BATCH_SIZE.value) % 2 == 0,
        jnp.full(_BATCH_SIZE.value, -1, jnp.int32),
        images[0] if with_warped else None,
    )


def first_layers(batch: PairBatch, size: tuple[int, int]) -> dict[str, Callable]:
    """The 7x7 convolution over 68 heatmaps, dense and as outer products."""
    kernel = jax.random.normal(jax.random.key(0), (7, 7, 68, 64))

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
    points = batch.source_points_xy
    return {
        f"first layer, {name}": lambda f=f: f(points) for name, f in compiled.items()
    }


def pixel_layers(batch: PairBatch, size: tuple[int, int]) -> dict[str, Callable]:
    """The same layer over heatmaps of one pixel, with the gradient of its kernel."""
    heatmaps = landmark_heatmaps(batch.source_points_xy, size)
    kernel = jax.random.normal(jax.random.key(0), (7, 7, 68, 64))

    def gradient(layer: Callable) -> Callable:
        def energy(kernel: jax.Array) -> jax.Array:
            return jnp.square(layer(heatmaps, kernel, 1, 3, "reflect")).sum()

        compiled = jax.jit(jax.grad(energy))
        return lambda: compiled(kernel)

    return {
        "first layer's gradient, products": gradient(convolve_heatmaps),
        "first layer's gradient, scattered": gradient(scatter_onehot_kernels),
    }


def compare(layers: dict[str, Callable]) -> None:
    """A line each of two ways to compute a layer, and the ratio of their times."""
    times: dict[str, list[float]] = {name: [] for name in layers}
    for run in range(_RUNS.value + 1):
        for name, function in layers.items():
            seconds = timed(function)
            if run:
                times[name].append(seconds)
    for name, seconds_of_runs in times.items():
        report(name, seconds_of_runs)
    ratios = [slow / quick for slow, quick in zip(*times.values(), strict=True)]
    print(
        f"{' / '.join(layers):38s} {statistics.median(ratios):9.1f} (median of pairs)"
    )


def forwards(
    system: AnonyGAN, variables: dict[str, Any], pair: Pair
) -> dict[str, Callable]:
    """The generator as XLA compiles it by itself, and with the tool's options."""
    lowered = jax.jit(system.generate).lower(variables, pair)
    compiled = {
        "forward, XLA's defaults": lowered.compile(),
        "forward": lowered.compile(compiler_options()),
    }
    return {n: functools.partial(f, variables, pair) for n, f in compiled.items()}


def compare_steps(
    train_step: TrainStep, key: jax.Array, state: TrainState, batch: PairBatch
) -> None:
    """The step as XLA compiles it by itself, and with the options of a run."""
    plain = factory.lower_step(train_step, key, state, batch).compile()
    steps = {
        "step, XLA's defaults": plain,
        "step": factory.compile_step(train_step, key, state, batch),
    }
    print(f"loss terms' largest difference: {differences(steps, state, batch):.1e}")

    def take(step: jax.stages.Compiled) -> None:
        nonlocal state  # its buffers are donated
        state = jax.block_until_ready(step(state, batch)[0])

    compare({name: functools.partial(take, step) for name, step in steps.items()})


def differences(
    steps: dict[str, jax.stages.Compiled], state: TrainState, batch: PairBatch
) -> float:
    """Of the loss terms of two ways to compute a step, relative."""
    copies = [jax.tree.map(jnp.copy, state) for _ in steps]
    terms = [
        step(copy, batch)[1] for step, copy in zip(steps.values(), copies, strict=True)
    ]
    return max(
        abs(float(terms[0][name]) - float(value)) / max(abs(float(value)), 1e-3)
        for name, value in terms[1].items()
    )


def main(_arguments: list[str]) -> None:
    """Prints a line for each part."""
    config = _CONFIG.value
    size = tuple(config.data.image_size)
    batch = random_batch(size, config.model.uses_warped_condition)
    compare(first_layers(batch, size))
    compare(pixel_layers(batch, size))

    train_step = factory.make_train_step(config)
    system = train_step.system
    assert isinstance(system, AnonyGAN)
    key = jax.random.key(0, impl="rbg")
    state = jax.jit(train_step.init)(key, batch)
    pair = jax.jit(system.prepare)(batch)
    compare(forwards(system, state.generator_variables(), pair))

    compare_steps(train_step, key, state, batch)


if __name__ == "__main__":
    app.run(main)
