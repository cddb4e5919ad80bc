"""The region of a face that is hidden, from its landmarks, on the device."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

# Regions: the release's polygon, and a contour nearer to the face.
PAPER_POLYGON, FACE_CONTOUR = "face", "outline"

# Corners of the release's: (x of point 0, y of point 19), the jaw, (x of 16, y of 24).
_X_POINTS = (0, *range(17), 16)
_Y_POINTS = (19, *range(17), 24)

ABOVE_BROWS = 0.06  # of the distance of points 0 and 16: brows are as thick
BEYOND_JAW = 0.015  # of the distance from the nose: where landmarks err inwards


def mask_polygon(
    points_xy: Float[Array | np.ndarray, "*B 68 2"], region: str = PAPER_POLYGON
) -> Float[Array, "*B P 2"]:
    """Returns float [..., 19 or 27, 2]: corners of the face polygon.

    Args:
      points_xy: float [..., 68, 2] landmarks.
      region: PAPER_POLYGON, with corners beside the temples; or FACE_CONTOUR, without
        those corners, which are hair as a rule, and with all of jaw and brows.

    Source: PAPER_POLYGON, the official release, as CIAGAN before it; FACE_CONTOUR,
    ours.
    """
    if region == PAPER_POLYGON:
        x = points_xy[..., _X_POINTS, 0]
        y = points_xy[..., _Y_POINTS, 1]
        return jnp.stack([x, y], axis=-1)
    across = points_xy[..., 16:17, :] - points_xy[..., :1, :]
    up = points_xy[..., 36:48, :].mean(-2, keepdims=True) - points_xy[..., 8:9, :]
    width, length = (jnp.linalg.norm(v, axis=-1, keepdims=True) for v in (across, up))
    brows = points_xy[..., 26:16:-1, :] + ABOVE_BROWS * width * up / (length + 1e-6)
    middle = points_xy[..., 27:36, :].mean(-2, keepdims=True)
    jaw = points_xy[..., :17, :]
    return jnp.concatenate([jaw + BEYOND_JAW * (jaw - middle), brows], axis=-2)


@functools.partial(jax.jit, static_argnames=("size", "region"))
def face_mask(
    points_xy: Float[Array | np.ndarray, "B 68 2"],
    size: tuple[int, int],
    region: str = PAPER_POLYGON,
) -> Float[Array, "B H W 1"]:
    """Returns float32 [B, H, W, 1]: 1 inside or on the face polygon, else 0.

    Args:
      points_xy: float [B, 68, 2] landmarks, pixels; may be outside the image.
      size: (height, width).
      region: PAPER_POLYGON or FACE_CONTOUR, see `mask_polygon`.

    Source: the official release. Differs: it fills the polygon with OpenCV on 178x218
    and resizes; here the even-odd rule is applied to each pixel centre. Pixels of the
    polygon's edges are inside, as OpenCV draws them.
    """
    start = mask_polygon(points_xy, region)[:, None, None]  # [B, 1, 1, 19 or 27, 2]
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
