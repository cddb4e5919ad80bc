"""CIAGAN's drawing of landmarks as thin lines, on the device."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

_JAW, _NOSE, _MOUTH = range(17), range(27, 31), (*range(60, 68), 60)
# The ends of each line, as numbers of landmarks.
_STARTS, _ENDS = np.array(
    [pair for run in (_JAW, _NOSE, _MOUTH) for pair in itertools.pairwise(run)]
).T


def landmark_drawing(
    points_xy: Float[Array | np.ndarray, "B 68 2"], size: tuple[int, int]
) -> Float[Array, "B H W 3"]:
    """Returns float32 [B, H, W, 3] in 0..1: red lines on white.

    Jaw, bridge of the nose and inner mouth (closed), one pixel wide, between the pixels
    nearest to the landmarks.

    Args:
      points_xy: float [B, 68, 2] landmarks, pixels; may be outside the image.
      size: (height, width).

    Source: CIAGAN's release (see `models.ciagan.generator`), which draws with OpenCV.
    Differs: it draws on 178x218 and resizes; here lines have the networks' size.
    """
    points = jnp.floor(points_xy + 0.5)
    start, end = points[:, None, None, _STARTS], points[:, None, None, _ENDS]
    y, x = jnp.mgrid[: size[0], : size[1]].astype(jnp.float32)[..., None]
    steep = jnp.abs(end - start)[..., 1] > jnp.abs(end - start)[..., 0]
    down = _on_line(start[..., ::-1], end[..., ::-1], y, x)
    across = _on_line(start, end, x, y)
    is_line = ((steep & down) | (~steep & across)).any(-1, keepdims=True)
    return jnp.where(is_line, jnp.array([1.0, 0.0, 0.0]), 1.0)


def _on_line(
    start: jax.Array, end: jax.Array, along: jax.Array, across: jax.Array
) -> jax.Array:
    """Whether pixels belong to lines with one pixel in each column, bool [B, H, W, L].

    That is where floor(height of the line + 1/2) is `across`. Here in whole numbers,
    without a division: each compiler rounds that in its own way.

    Args:
      start, end: [B, 1, 1, L, 2], whole numbers, (along, across).
      along, across: [H, W, 1], the pixels.
    """
    first, last = jnp.minimum(start, end)[..., 0], jnp.maximum(start, end)[..., 0]
    run, rise = jnp.moveaxis(end - start, -1, 0)
    length = jnp.where(run == 0, 1.0, jnp.abs(run))
    risen = jnp.sign(run) * rise * (along - start[..., 0])  # times length
    twice_above = 2 * risen - 2 * length * (across - start[..., 1])
    is_near = (-length <= twice_above) & (twice_above < length)
    return (along >= first) & (along <= last) & is_near
