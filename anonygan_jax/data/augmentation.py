"""Pairs mirrored at random on the device."""

import dataclasses

import jax
import jax.numpy as jnp

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.data.ranges import check_ranges
from anonygan_jax.faces.face import mirrored_points


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """Random changes of pairs in training, the same for condition and source.

    Attributes:
      flip_share: share of the pairs that are mirrored, 0 to 1.
    """

    flip_share: float = 0.0

    def __post_init__(self) -> None:
        check_ranges("augmentation", self, flip_share=(0, 1))


def augment(batch: PairBatch, rng: jax.Array, config: AugmentationConfig) -> PairBatch:
    """Returns the pairs, some of them mirrored.

    Args:
      batch: pairs.
      rng: random key of the choice.
      config: which share is mirrored; with 0 the batch is unchanged.
    """
    if not config.flip_share:
        return batch
    key = jax.random.split(rng, 3)[0]  # as in every run so far, so that they resume
    flipped = jax.random.bernoulli(key, config.flip_share, batch.is_supervised.shape)
    mirrored = {}
    for name in ("condition", "source", "warped_condition"):
        if (images := getattr(batch, name)) is not None:
            chosen = flipped[:, None, None, None]
            mirrored[name] = jnp.where(chosen, images[:, :, ::-1], images)
    for name in ("condition_points_xy", "source_points_xy"):
        points = getattr(batch, name)
        moved = mirrored_points(points, batch.source.shape[2])
        mirrored[name] = jnp.where(flipped[:, None, None], moved, points)
    return dataclasses.replace(batch, **mirrored)
