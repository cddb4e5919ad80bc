"""Landmarks as pictures: one channel a point, made on the device."""

import jax
import jax.numpy as jnp


def landmark_heatmaps(
    points_xy: jax.Array,
    size: tuple[int, int],
    grid: tuple[int, int] | None = None,
) -> jax.Array:
    """Returns float32 [B, H, W, K]: each point as one pixel of value 1.

    Args:
      points_xy: float or int [B, K, 2], pixels of a picture of `size`; a point whose
        nearest pixel lies outside leaves its channel empty.
      size: (height, width) of the heatmaps.
      grid: None, or the (height, width) on which the pixel is set before a bilinear
        resize to `size` (half-pixel centres, no antialiasing), so that up to four
        pixels share the point. The paper's is (218, 178) for size (220, 180).
    """
    if grid is None or grid == size:
        return _one_pixel(points_xy, size)
    scale = jnp.array([grid[1] / size[1], grid[0] / size[0]], jnp.float32)
    on_grid = _one_pixel((points_xy + 0.5) * scale - 0.5, grid)
    shape = (on_grid.shape[0], *size, on_grid.shape[-1])
    return jax.image.resize(on_grid, shape, "bilinear", antialias=False)


def _one_pixel(points_xy: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Heatmaps with the nearest pixel set."""
    nearest = jnp.rint(points_xy).astype(jnp.int32)
    rows = jax.nn.one_hot(nearest[..., 1], size[0])
    columns = jax.nn.one_hot(nearest[..., 0], size[1])
    return jnp.einsum("bkh,bkw->bhwk", rows, columns)
