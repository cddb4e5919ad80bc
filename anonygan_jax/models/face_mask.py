"""The region of a face that is hidden, computed on the device; see `faces.masks`."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anonygan_jax.faces.masks import PAPER_POLYGON, mask_polygon


@functools.partial(jax.jit, static_argnames=("size", "region"))
def face_mask(
    points_xy: Float[Array | np.ndarray, "B 68 2"],
    size: tuple[int, int],
    region: str = PAPER_POLYGON,
) -> Float[Array, "B H W 1"]:
    """Returns `faces.masks.face_mask` with one channel, float32 [B, H, W, 1]."""
    polygon = mask_polygon(jnp.asarray(points_xy), region)
    start = polygon[:, None, None]  # [B, 1, 1, 19 or 27, 2]
    end = jnp.roll(start, -1, axis=-2)
    x = jnp.arange(size[1], dtype=jnp.float32)[None, None, :, None]
    y = jnp.arange(size[0], dtype=jnp.float32)[None, :, None, None]
    inside = _crossings(start, end, x, y) % 2 == 1
    near = _squared_distance(start, end, x, y).min(-1) <= 0.25
    return (inside | near)[..., None].astype(jnp.float32)


def _crossings(start: jax.Array, end: jax.Array, x: jax.Array, y: jax.Array):
    """Number of polygon edges to the right of each pixel; int [B, H, W]."""
    spans = (start[..., 1] > y) != (end[..., 1] > y)
    rise = jnp.where(spans, end[..., 1] - start[..., 1], 1.0)
    along = (y - start[..., 1]) / rise
    crossing_x = start[..., 0] + along * (end[..., 0] - start[..., 0])
    return jnp.sum(spans & (x < crossing_x), axis=-1)


def _squared_distance(start: jax.Array, end: jax.Array, x: jax.Array, y: jax.Array):
    """Squared distance of each pixel to each edge; float [B, H, W, corners]."""
    edge = end - start
    length = jnp.maximum(jnp.sum(edge**2, axis=-1), 1e-12)
    dx, dy = x - start[..., 0], y - start[..., 1]
    along = jnp.clip((dx * edge[..., 0] + dy * edge[..., 1]) / length, 0.0, 1.0)
    return (dx - along * edge[..., 0]) ** 2 + (dy - along * edge[..., 1]) ** 2
