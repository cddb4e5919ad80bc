"""The region of a face that is hidden, from its landmarks, on the device."""

import jax
import jax.numpy as jnp

# Corners of the polygon: (x of point 0, y of point 19), the jaw, (x of 16, y of 24).
_X_POINTS = (0, *range(17), 16)
_Y_POINTS = (19, *range(17), 24)


def mask_polygon(points_xy: jax.Array) -> jax.Array:
    """Returns float [..., 19, 2]: corners of the face polygon.

    Args:
      points_xy: float [..., 68, 2] landmarks.

    Source: the official release, as CIAGAN before it.
    """
    x = points_xy[..., _X_POINTS, 0]
    y = points_xy[..., _Y_POINTS, 1]
    return jnp.stack([x, y], axis=-1)


def face_mask(points_xy: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Returns float32 [B, H, W, 1]: 1 inside or on the face polygon, else 0.

    Args:
      points_xy: float [B, 68, 2] landmarks, pixels; may lie outside the picture.
      size: (height, width).

    Differs: the release fills with OpenCV on 178x218 and resizes; here the even-odd
    rule decides for each pixel centre. Pixels of the outline itself are inside, as
    OpenCV draws them.
    """
    start = mask_polygon(points_xy)[:, None, None]  # [B, 1, 1, 19, 2]
    end = jnp.roll(start, -1, axis=-2)
    x = jnp.arange(size[1], dtype=jnp.float32)[None, None, :, None]
    y = jnp.arange(size[0], dtype=jnp.float32)[None, :, None, None]
    inside = _crossings(start, end, x, y) % 2 == 1
    near = _squared_distance(start, end, x, y).min(-1) <= 0.25
    return (inside | near)[..., None].astype(jnp.float32)


def _crossings(start: jax.Array, end: jax.Array, x: jax.Array, y: jax.Array):
    """How many polygon edges lie to the right of each pixel; int [B, H, W]."""
    spans = (start[..., 1] > y) != (end[..., 1] > y)
    rise = jnp.where(spans, end[..., 1] - start[..., 1], 1.0)
    along = (y - start[..., 1]) / rise
    crossing_x = start[..., 0] + along * (end[..., 0] - start[..., 0])
    return jnp.sum(spans & (x < crossing_x), axis=-1)


def _squared_distance(start: jax.Array, end: jax.Array, x: jax.Array, y: jax.Array):
    """Squared distance of each pixel to each edge; float [B, H, W, 19]."""
    edge = end - start
    length = jnp.maximum(jnp.sum(edge**2, axis=-1), 1e-12)
    dx, dy = x - start[..., 0], y - start[..., 1]
    along = jnp.clip((dx * edge[..., 0] + dy * edge[..., 1]) / length, 0.0, 1.0)
    return (dx - along * edge[..., 0]) ** 2 + (dy - along * edge[..., 1]) ** 2
