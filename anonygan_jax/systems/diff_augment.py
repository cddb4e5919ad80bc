"""Pictures changed before a discriminator sees them, real and fake ones alike.

Source: Zhao et al., "Differentiable augmentation for data-efficient GAN training",
NeurIPS 2020; the policies and their strengths are the paper's.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

COLOUR, TRANSLATION, CUTOUT = "colour", "translation", "cutout"
POLICIES = (COLOUR, TRANSLATION, CUTOUT)
MAX_SHIFT = 1 / 8  # of the sides
CUT_SHARE = 1 / 2  # of the sides


def diff_augment(
    image: jax.Array,
    points_xy: jax.Array | None,
    rng: jax.Array,
    policies: Sequence[str],
) -> tuple[jax.Array, jax.Array | None]:
    """Returns changed pictures, through which gradients flow, and moved points.

    Args:
      image: float32 [B, H, W, 3] in [-1, 1]; a changed one may leave that range.
      points_xy: float32 [B, K, 2], pixels, or None.
      rng: of the draws, one for each picture.
      policies: which of `POLICIES`.
    """
    keys = jax.random.split(rng, 3)
    if COLOUR in policies:
        image = _recolour(image, keys[0])
    if TRANSLATION in policies:
        image, points_xy = _shift(image, points_xy, keys[1])
    if CUTOUT in policies:
        image = image * ~_cut(image.shape, keys[2])
    return image, points_xy


def _recolour(image: jax.Array, rng: jax.Array) -> jax.Array:
    """Brightness moves by 0.5 at most, saturation times 0 to 2, contrast 0.5 to 1.5."""
    draws = jax.random.uniform(rng, (3, len(image), 1, 1, 1))
    image = image + draws[0] - 0.5
    grey = image.mean(-1, keepdims=True)
    image = grey + (image - grey) * 2 * draws[1]
    mean = image.mean((1, 2, 3), keepdims=True)
    return mean + (image - mean) * (0.5 + draws[2])


def _shift(
    image: jax.Array, points_xy: jax.Array | None, rng: jax.Array
) -> tuple[jax.Array, jax.Array | None]:
    """Moved by whole pixels; what comes in is 0."""
    most = jnp.array([round(MAX_SHIFT * side) for side in image.shape[1:3]])
    shift = jax.random.randint(rng, (len(image), 2), -most, most + 1)

    def one(picture: jax.Array, shift: jax.Array) -> jax.Array:
        moved = jnp.roll(picture, shift, (0, 1))
        for axis, side in enumerate(picture.shape[:2]):
            place = jnp.arange(side) - shift[axis]
            inside = (place >= 0) & (place < side)
            moved = moved * jnp.expand_dims(inside, tuple({0, 1, 2} - {axis}))
        return moved

    if points_xy is not None:
        points_xy = points_xy + shift[:, None, ::-1]
    return jax.vmap(one)(image, shift), points_xy


def _cut(shape: tuple[int, ...], rng: jax.Array) -> jax.Array:
    """Where a rectangle around a random pixel is set to 0, bool [B, H, W, 1]."""
    batch, height, width, _ = shape
    inside = jnp.ones((batch, 1, 1), bool)
    for axis, (key, side) in enumerate(
        zip(jax.random.split(rng), (height, width), strict=True)
    ):
        middle = jax.random.randint(key, (batch, 1), 0, side + 1)
        near = jnp.abs(jnp.arange(side) + 0.5 - middle) < CUT_SHARE * side / 2
        inside = inside & jnp.expand_dims(near, 2 - axis)
    return inside[..., None]
