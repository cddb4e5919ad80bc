"""Batches of noise for timings of networks."""

import jax.numpy as jnp
import ml_collections
import numpy as np

from anonygan_jax.data.batches import PairBatch


def random_batch(config: ml_collections.ConfigDict, batch_size: int) -> PairBatch:
    """Returns noise with landmarks inside the picture; every other pair is supervised.

    Args:
      config: of a run, for the size of the images and the inputs of the network.
      batch_size: pairs.
    """
    rng, size = np.random.default_rng(0), tuple(config.data.image_size)
    shape = (batch_size, *size, 3)
    points = rng.uniform(0, min(size), (2, batch_size, 68, 2)).astype(np.float32)
    images = [jnp.asarray(rng.integers(0, 256, shape, np.uint8)) for _ in range(3)]
    return PairBatch(
        condition=images[0],
        source=images[1],
        condition_points_xy=jnp.asarray(points[0]),
        source_points_xy=jnp.asarray(points[1]),
        is_supervised=jnp.arange(batch_size) % 2 == 0,
        condition_person=jnp.full(batch_size, -1, jnp.int32),
        warped_condition=images[2] if config.model.uses_warped_condition else None,
    )
