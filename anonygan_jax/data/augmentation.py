"""Pairs changed at random on the device, so that few photos go further."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.data.batches import PairBatch

GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601


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
    """How much pairs are changed in training; condition and source alike.

    Attributes:
      flip_share: of the pairs that are mirrored.
      colour_jitter: brightness, contrast and saturation change by as much at most, as
        shares.
      crop_jitter: pictures move by as much at most in each direction, as a share of
        their sides, and are enlarged by as much at most.
    """

    flip_share: float = 0.0
    colour_jitter: float = 0.0
    crop_jitter: float = 0.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}, wanted a share between 0 and 1")


UNCHANGED = AugmentationConfig()


def augment(batch: PairBatch, rng: jax.Array, config: AugmentationConfig) -> PairBatch:
    """Returns the pairs changed; pictures become float32 in 0..255.

    Args:
      batch: pairs.
      rng: of the draws.
      config: how much; with zeros the pairs stay as they are.
    """
    keys = jax.random.split(rng, 3)
    if config.flip_share:
        flipped = jax.random.bernoulli(
            keys[0], config.flip_share, batch.is_supervised.shape
        )
        batch = _changed(batch, lambda i, p: _flip(i, p, flipped))
    if config.crop_jitter:
        draws = jax.random.uniform(
            keys[1], (len(batch.is_supervised), 3), minval=-1.0, maxval=1.0
        )
        moves = config.crop_jitter * draws
        batch = _changed(batch, lambda i, p: _move(i, p, moves))
    if config.colour_jitter:
        draws = jax.random.uniform(
            keys[2], (len(batch.is_supervised), 3), minval=-1.0, maxval=1.0
        )
        gains = 1 + config.colour_jitter * draws
        batch = _changed(batch, lambda i, p: (_recolour(i, gains), p))
    return batch


def _changed(batch: PairBatch, change) -> PairBatch:
    """A function applied to condition, source and warped condition, with points."""
    condition, condition_points = change(batch.condition, batch.condition_points_xy)
    source, source_points = change(batch.source, batch.source_points_xy)
    warped_condition = batch.warped_condition
    if warped_condition is not None:
        warped_condition, _ = change(warped_condition, batch.source_points_xy)
    return dataclasses.replace(
        batch,
        condition=condition,
        source=source,
        condition_points_xy=condition_points,
        source_points_xy=source_points,
        warped_condition=warped_condition,
    )


def _flip(
    images: jax.Array, points_xy: jax.Array, flipped: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Some of the pictures mirrored; a left eye is a right eye then."""
    width = images.shape[2]
    mirrored = points_xy[:, MIRRORED] * jnp.array([-1.0, 1.0])
    mirrored += jnp.array([width - 1.0, 0.0])
    chosen = flipped[:, None, None]
    return (
        jnp.where(chosen[..., None], images[:, :, ::-1], images),
        jnp.where(chosen, mirrored, points_xy),
    )


def _move(
    images: jax.Array, points_xy: jax.Array, moves: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Pictures shifted and enlarged around their middle; edges are continued.

    Args:
      images: [B, H, W, 3].
      points_xy: [B, 68, 2].
      moves: [B, 3], shifts across and down and the enlargement (without its sign), as
        shares.
    """
    size = jnp.array([images.shape[2], images.shape[1]], jnp.float32)
    scale = 1 + jnp.abs(moves[:, 2:])
    middle = (size - 1) / 2
    shift = middle * (1 - scale) + moves[:, :2] * size

    def one(image: jax.Array, scale: jax.Array, shift: jax.Array) -> jax.Array:
        y, x = jnp.meshgrid(
            *(jnp.arange(n, dtype=jnp.float32) for n in image.shape[:2]), indexing="ij"
        )
        places = [(y - shift[1]) / scale[0], (x - shift[0]) / scale[0]]
        return jnp.stack(
            [
                jax.scipy.ndimage.map_coordinates(channel, places, 1, mode="nearest")
                for channel in jnp.moveaxis(image, -1, 0)
            ],
            axis=-1,
        )

    moved = jax.vmap(one)(images.astype(jnp.float32), scale, shift)
    return moved, points_xy * scale[:, None] + shift[:, None]


def _recolour(images: jax.Array, gains: jax.Array) -> jax.Array:
    """Pictures with other brightness, contrast and saturation.

    Args:
      images: [B, H, W, 3], 0..255.
      gains: [B, 3].
    """
    brightness, contrast, saturation = (gains[:, n, None, None, None] for n in range(3))
    x = images.astype(jnp.float32) * brightness
    middle = (x @ GREY).mean((1, 2))[:, None, None, None]
    x = middle + (x - middle) * contrast
    grey = (x @ GREY)[..., None]
    return jnp.clip(grey + (x - grey) * saturation, 0, 255)
