"""Pairs mirrored at random on the device."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.data.batches import PairBatch


def _mirrored_landmarks() -> np.ndarray:
    """Which landmark takes the place of each in a mirror, int [68]."""
    order = np.arange(68)
    # Jaw, both brows, nostrils; upper and lower outer lips, upper and lower inner ones.
    runs = ((0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68))
    for start, stop in runs:
        order[start:stop] = order[start:stop][::-1]
    # Eyes: upper lids from corner to corner, then lower lids.
    order[[36, 37, 38, 39, 42, 43, 44, 45]] = [45, 44, 43, 42, 39, 38, 37, 36]
    order[[40, 41, 46, 47]] = [47, 46, 41, 40]
    return order


MIRRORED = _mirrored_landmarks()


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """Random changes of pairs in training, the same for condition and source.

    Attributes:
      flip_share: share of the pairs that are mirrored, 0 to 1.
    """

    flip_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.flip_share <= 1:
            raise ValueError(
                f"augmentation.flip_share is {self.flip_share}, wanted a share between "
                "0 and 1"
            )


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
        # A left eye is a right eye then.
        moved = points[:, MIRRORED] * jnp.array([-1.0, 1.0])
        moved += jnp.array([batch.source.shape[2] - 1.0, 0.0])
        mirrored[name] = jnp.where(flipped[:, None, None], moved, points)
    return dataclasses.replace(batch, **mirrored)
