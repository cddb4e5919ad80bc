"""Batches through tf.data, which decodes while the training step runs."""

import dataclasses
from collections.abc import Generator

import numpy as np

from anonygan_jax.data.batches import BatchLoader, PairBatch
from anonygan_jax.io import extras


def require_tensorflow() -> None:
    """Accepts machines on which `tf_data_batches` can be used.

    Raises:
      MissingPackage: TensorFlow is missing.
    """
    use = 'data.loader="tf_data", unlike "grain",'
    extras.require(use, "tensorflow", "tensorflow")


def tf_data_batches(
    batches: BatchLoader, start: int, stop: int
) -> Generator[PairBatch]:
    """Yields the batches of steps `start` to `stop` - 1, decoded in parallel.

    Args:
      batches: of the run.
      start, stop: steps.
    """
    import tensorflow as tf

    example = dataclasses.asdict(batches.batch(start))
    names = [name for name, value in example.items() if value is not None]
    types = [tf.as_dtype(example[name].dtype) for name in names]

    def load(step: np.ndarray) -> list[np.ndarray]:
        batch = batches.batch(int(step))
        return [getattr(batch, name) for name in names]

    dataset = tf.data.Dataset.range(start, stop).map(
        lambda step: tf.numpy_function(load, [step], types),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    for fields in dataset.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
        yield PairBatch(**dict(zip(names, fields, strict=True)))
