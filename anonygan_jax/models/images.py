"""Conversion of images between uint8 and the networks' float32 in [-1, 1]."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped, UInt8

Pixels = Array | np.ndarray


def image_size(images: Shaped[Pixels, "B H W C"]) -> tuple[int, int]:
    """Returns (height, width) of a batch of images."""
    return images.shape[1], images.shape[2]


def to_float(image_u8: UInt8[Pixels, "..."]) -> Float[Array, "..."]:
    """Returns float32 in [-1, 1] from uint8 0..255."""
    return jnp.asarray(image_u8).astype(jnp.float32) / 127.5 - 1.0


def to_uint8(image: Float[Pixels, "..."]) -> UInt8[Array, "..."]:
    """Returns uint8 0..255 from float in [-1, 1]; values outside are clipped."""
    return jnp.rint((jnp.clip(image, -1, 1) + 1.0) * 127.5).astype(jnp.uint8)
