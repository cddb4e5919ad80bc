"""Heatmaps of landmarks, one channel a point, kept as outer products.

A heatmap of one pixel, resized or not, is a column vector times a row vector. In this
form 68 heatmaps are kilobytes instead of megabytes, and their convolution is two small
einsums: on a CPU the generator's first layer is 17 times faster than with dense maps.
Where each heatmap is one pixel, a CPU is faster still by adding kernels there.
"""

import itertools
from collections.abc import Sequence

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int


@flax.struct.dataclass
class Heatmaps:
    """K heatmaps: heatmap k is rows[k] (down) times columns[k] (across).

    Attributes:
      is_one_hot: whether no heatmap has more than one pixel that is not 0.
    """

    rows: Float[Array, "B K H"]
    columns: Float[Array, "B K W"]
    is_one_hot: bool = flax.struct.field(pytree_node=False, default=False)

    def dense(self) -> Float[Array, "B H W K"]:
        """Returns float32 [B, H, W, K]."""
        return jnp.einsum("bkh,bkw->bhwk", self.rows, self.columns)

    def means(self) -> Float[Array, "B K"]:
        """Returns the mean of each heatmap, float32 [B, K]."""
        return self.rows.mean(-1) * self.columns.mean(-1)

    def scale(self, weights: Float[Array, "B K"]) -> "Heatmaps":
        """Returns the heatmaps times weights, float [B, K]."""
        columns = self.columns * weights[..., None]
        return Heatmaps(self.rows, columns, self.is_one_hot)

    def concatenate(self, other: "Heatmaps") -> "Heatmaps":
        """Returns these heatmaps followed by the other's."""
        return jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), self, other)


def landmark_heatmaps(
    points_xy: Float[Array, "B K 2"] | Int[Array, "B K 2"],
    size: tuple[int, int],
    grid: Sequence[int] | None = None,
) -> Heatmaps:
    """Returns one heatmap a point: 1 at its pixel, 0 elsewhere.

    Args:
      points_xy: float or int [B, K, 2], pixels of an image of `size`; the heatmap of a
        point whose nearest pixel is outside is empty.
      size: (height, width) of the heatmaps.
      grid: None, or the (height, width) on which the pixel is set before a bilinear
        resize to `size` (half-pixel centres, no antialiasing), so that neighbouring
        pixels share the point. The paper's is (218, 178) for size (220, 180).

    Source: paper section 3.2; the resize, the official release.
    """
    grid = size if grid is None else grid
    return Heatmaps(
        rows=_one_pixel(points_xy[..., 1], size[0], grid[0]),
        columns=_one_pixel(points_xy[..., 0], size[1], grid[1]),
        is_one_hot=tuple(grid) == tuple(size),
    )


def _one_pixel(position: jax.Array, length: int, grid: int) -> jax.Array:
    """One axis: float32 [B, K, length]."""
    on_grid = (position + 0.5) * (grid / length) - 0.5 if grid != length else position
    # Not `jax.nn.one_hot`: in ONNX a negative number counts from the end.
    nearest = jnp.rint(on_grid)[..., None]
    pixel = (nearest == jnp.arange(grid, dtype=nearest.dtype)).astype(jnp.float32)
    if grid == length:
        return pixel
    resize = _bilinear(grid, length)
    return jnp.matmul(pixel, resize, precision=jax.lax.Precision.HIGHEST)


def _bilinear(old: int, new: int) -> np.ndarray:
    """A bilinear resize of an axis, as a matrix, float32 [old, new].

    Ratio and places are rounded to float32, as the release's and `jax.image.resize`'s.
    """
    ratio = float(np.float32(old / new))
    places = ((np.arange(new) + 0.5) * ratio - 0.5).astype(np.float32)
    weights = np.maximum(0, 1 - np.abs(places - np.arange(old, dtype="f4")[:, None]))
    return weights / weights.sum(0)


def convolve_heatmaps(
    heatmaps: Heatmaps,
    kernel: Float[Array, "k k K C"],
    stride: int,
    padding: int,
    mode: str,
    use_space_to_depth: bool = False,
) -> Float[Array, "B h w F"]:
    """Returns the convolution of the dense heatmaps, float32 [B, h, w, C].

    Args:
      heatmaps: K heatmaps.
      stride: step in both directions.
      padding: pixels added on every side.
      mode: what is added, as in `jax.numpy.pad`: "constant" or "reflect".
      use_space_to_depth: return [B, h/2, w/2, 4C], see `models.space_to_depth`.
    """
    side = kernel.shape[0]
    down = _windows(heatmaps.rows, side, stride, padding, mode)
    if not use_space_to_depth:
        across = _windows(heatmaps.columns, side, stride, padding, mode)
        strips = jnp.einsum("bkxj,ijkc->bkixc", across, kernel)
        return jnp.einsum("bkyi,bkixc->byxc", down, strips)
    # The windows of two neighbouring columns are one pixel apart.
    none = jnp.zeros_like(kernel[:, :1])
    first, second = ([kernel, none], [none, kernel])
    pairs = jnp.concatenate([jnp.concatenate(x, 1) for x in (first, second)], -1)
    across = _windows(heatmaps.columns, side + 1, 2, padding, mode)
    strips = jnp.einsum("bkxj,ijkc->bkixc", across, pairs)
    rows = [jnp.einsum("bkyi,bkixc->byxc", down[:, :, n::2], strips) for n in (0, 1)]
    return jnp.concatenate(rows, -1)


def scatter_onehot_kernels(
    heatmaps: Heatmaps,
    kernel: Float[Array, "k k K C"],
    stride: int,
    padding: int,
    mode: str,
) -> Float[Array, "B h w C"]:
    """Returns the result of `convolve_heatmaps`, for heatmaps of one pixel each.

    A pixel adds the flipped kernel to the positions around it; with "reflect" so does
    its mirror image beyond a border. Quick on CPUs alone.

    Args: see `convolve_heatmaps`; the heatmaps are one-hot.
    """
    side = kernel.shape[0]
    rows, columns = (
        nonzero_positions(values, padding, mode)
        for values in (heatmaps.rows, heatmaps.columns)
    )
    dtype = jnp.promote_types(kernel.dtype, jnp.float32)
    flipped = kernel[::-1, ::-1].transpose(2, 0, 1, 3).astype(dtype)
    batch, _, height = heatmaps.rows.shape
    around = 2 * padding + side - 1
    shape = (batch, height + around, heatmaps.columns.shape[-1] + around)
    canvas = jnp.zeros((*shape, kernel.shape[-1]), dtype)
    for (y, down), (x, across) in itertools.product(rows, columns):
        weights = (down * across)[..., None, None, None]
        places = jnp.stack([y, x], axis=-1)
        canvas = _add_at(canvas, places, weights * flipped)
    seen = slice(side - 1, 1 - side or None, stride)
    return canvas[:, seen, seen].astype(kernel.dtype)


def nonzero_positions(
    values: Float[Array, "B K L"], padding: int, mode: str
) -> list[tuple[Int[Array, "B K"], Float[Array, "B K"]]]:
    """Returns positions and values of a pixel and its mirror images after padding.

    Args:
      values: float [B, K, L], one axis of one-hot heatmaps.
      padding, mode: see `convolve_heatmaps`.
    """
    padded = jnp.pad(values, ((0, 0), (0, 0), (padding, padding)), mode=mode)
    count = 1
    if mode == "reflect":  # beyond both borders, where the axis is short
        count = 2 if values.shape[-1] > 2 * padding else 3
    found = []
    for _ in range(count):  # top_k would sort all
        place = jnp.abs(padded).argmax(-1)
        here = jax.nn.one_hot(place, padded.shape[-1], dtype=padded.dtype)
        found.append((place, (padded * here).sum(-1)))
        padded = padded * (1 - here)
    return found


def _add_at(canvas: jax.Array, places: jax.Array, patches: jax.Array) -> jax.Array:
    """The canvas [B, H, W, C] with patches [B, K, k, k, C] added from places on."""
    side = jnp.arange(patches.shape[2])
    y = places[..., 0, None, None] + side[:, None]
    x = places[..., 1, None, None] + side
    y, x = jnp.broadcast_arrays(y, x)
    image = jax.lax.broadcasted_iota(y.dtype, y.shape, 0)
    # Pixel by pixel, as ONNX can do it, too.
    return jax.lax.scatter_add(
        canvas,
        jnp.stack([image, y, x], -1),
        patches,
        jax.lax.ScatterDimensionNumbers(
            update_window_dims=(4,),
            inserted_window_dims=(0, 1, 2),
            scatter_dims_to_operand_dims=(0, 1, 2),
        ),
        mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def _windows(
    values: jax.Array, side: int, stride: int, padding: int, mode: str
) -> jax.Array:
    """The values under a kernel of `side` at each position: [B, K, P, side]."""
    padded = jnp.pad(values, ((0, 0), (0, 0), (padding, padding)), mode=mode)
    num_positions = (padded.shape[-1] - side) // stride + 1
    # Slices, not a gather: TPUs do gathers one after the other.
    reach = stride * (num_positions - 1) + 1
    seen = [padded[..., k : k + reach : stride] for k in range(side)]
    return jnp.stack(seen, axis=-1)
