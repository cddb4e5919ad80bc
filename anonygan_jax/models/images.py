"""Pixels as the networks take them: float32 in [-1, 1]."""

import jax
import jax.numpy as jnp


def image_size(images: jax.Array) -> tuple[int, int]:
    """Returns (height, width) of a batch of images."""
    return images.shape[1], images.shape[2]


def to_float(image_u8: jax.Array) -> jax.Array:
    """Returns float32 in [-1, 1]."""
    return image_u8.astype(jnp.float32) / 127.5 - 1.0


def to_uint8(image: jax.Array) -> jax.Array:
    """Returns uint8 0..255 from [-1, 1]."""
    return jnp.rint((jnp.clip(image, -1, 1) + 1.0) * 127.5).astype(jnp.uint8)
