"""Landmarks as pictures, one channel a point, kept as outer products.

A heatmap of one pixel, resized or not, is a column vector times a row vector. Kept so,
68 heatmaps are kilobytes instead of megabytes, and a convolution over them is two small
einsums: on a CPU the generator's first layer is 17 times faster than over dense maps.
Where each is one pixel, a CPU is faster still by adding up kernels at those pixels.
"""

import itertools

import flax.struct
import jax
import jax.numpy as jnp


@flax.struct.dataclass
class Heatmaps:
    """K heatmaps: heatmap k is rows[k] (down) times columns[k] (across).

    Attributes:
      rows: float32 [B, K, H].
      columns: float32 [B, K, W].
      is_one_hot: whether no heatmap has more than one pixel that is not 0.
    """

    rows: jax.Array
    columns: jax.Array
    is_one_hot: bool = flax.struct.field(pytree_node=False, default=False)

    def dense(self) -> jax.Array:
        """Returns float32 [B, H, W, K]."""
        return jnp.einsum("bkh,bkw->bhwk", self.rows, self.columns)

    def means(self) -> jax.Array:
        """Returns the mean of each heatmap, float32 [B, K]."""
        return self.rows.mean(-1) * self.columns.mean(-1)

    def scale(self, weights: jax.Array) -> "Heatmaps":
        """Returns the heatmaps times weights [B, K]."""
        columns = self.columns * weights[..., None]
        return Heatmaps(self.rows, columns, self.is_one_hot)

    def concatenate(self, other: "Heatmaps") -> "Heatmaps":
        """Returns these heatmaps followed by the other's."""
        return jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), self, other)


def landmark_heatmaps(
    points_xy: jax.Array,
    size: tuple[int, int],
    grid: tuple[int, int] | None = None,
) -> Heatmaps:
    """Returns one heatmap a point: 1 at its pixel, 0 elsewhere.

    Args:
      points_xy: float or int [B, K, 2], pixels of a picture of `size`; a point whose
        nearest pixel lies outside leaves its heatmap empty.
      size: (height, width) of the heatmaps.
      grid: None, or the (height, width) on which the pixel is set before a bilinear
        resize to `size` (half-pixel centres, no antialiasing), so that neighbouring
        pixels share the point. The paper's is (218, 178) for size (220, 180).
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
    pixel = jax.nn.one_hot(jnp.rint(on_grid).astype(jnp.int32), grid)
    shape = (*pixel.shape[:-1], length)
    return jax.image.resize(pixel, shape, "bilinear", antialias=False)


def convolve_heatmaps(
    heatmaps: Heatmaps,
    kernel: jax.Array,
    stride: int,
    padding: int,
    mode: str,
    packed: bool = False,
) -> jax.Array:
    """Returns the convolution of the dense heatmaps, float32 [B, h, w, C].

    Args:
      heatmaps: K heatmaps.
      kernel: float32 [k, k, K, C].
      stride: step in both directions.
      padding: pixels added on every side.
      mode: what is added, as in `jax.numpy.pad`: "constant" or "reflect".
      packed: return [B, h/2, w/2, 4C], see `models.packed`.
    """
    side = kernel.shape[0]
    down = _windows(heatmaps.rows, side, stride, padding, mode)
    if not packed:
        across = _windows(heatmaps.columns, side, stride, padding, mode)
        strips = jnp.einsum("bkxj,ijkc->bkixc", across, kernel)
        return jnp.einsum("bkyi,bkixc->byxc", down, strips)
    # Of two neighbouring columns, one sees the kernel a pixel further.
    none = jnp.zeros_like(kernel[:, :1])
    first, second = ([kernel, none], [none, kernel])
    pairs = jnp.concatenate([jnp.concatenate(x, 1) for x in (first, second)], -1)
    across = _windows(heatmaps.columns, side + 1, 2, padding, mode)
    strips = jnp.einsum("bkxj,ijkc->bkixc", across, pairs)
    rows = [jnp.einsum("bkyi,bkixc->byxc", down[:, :, n::2], strips) for n in (0, 1)]
    return jnp.concatenate(rows, -1)


def scatter_onehot_kernels(
    heatmaps: Heatmaps, kernel: jax.Array, stride: int, padding: int, mode: str
) -> jax.Array:
    """Returns what `convolve_heatmaps` does, for heatmaps that are pixels.

    A pixel adds the kernel, turned around, to the places that see it; with "reflect"
    so does its mirror image beyond a border. Quick on CPUs alone.
    """
    side = kernel.shape[0]
    rows, columns = (
        nonzero_positions(values, padding, mode)
        for values in (heatmaps.rows, heatmaps.columns)
    )
    dtype = jnp.promote_types(kernel.dtype, jnp.float32)
    stamps = kernel[::-1, ::-1].transpose(2, 0, 1, 3).astype(dtype)
    batch, _, height = heatmaps.rows.shape
    around = 2 * padding + side - 1
    shape = (batch, height + around, heatmaps.columns.shape[-1] + around)
    canvas = jnp.zeros((*shape, kernel.shape[-1]), dtype)
    for (y, down), (x, across) in itertools.product(rows, columns):
        weights = (down * across)[..., None, None, None]
        places = jnp.stack([y, x], axis=-1)
        canvas = jax.vmap(_add_at)(canvas, places, weights * stamps)
    seen = slice(side - 1, 1 - side or None, stride)
    return canvas[:, seen, seen].astype(kernel.dtype)


def nonzero_positions(
    values: jax.Array, padding: int, mode: str
) -> list[tuple[jax.Array, jax.Array]]:
    """Places of a pixel and its mirror image once padded, and values; [B, K] each."""
    padded = jnp.pad(values, ((0, 0), (0, 0), (padding, padding)), mode=mode)
    num_lit = 1
    if mode == "reflect":  # beyond both borders, where they are so near
        num_lit = 2 if values.shape[-1] > 2 * padding else 3
    lit = []
    for _ in range(num_lit):  # top_k would sort all
        place = jnp.abs(padded).argmax(-1)
        here = jax.nn.one_hot(place, padded.shape[-1], dtype=padded.dtype)
        lit.append((place, (padded * here).sum(-1)))
        padded = padded * (1 - here)
    return lit


def _add_at(canvas: jax.Array, places: jax.Array, patches: jax.Array) -> jax.Array:
    """The canvas [H, W, C] with patches [K, k, k, C] added from places [K, 2] on."""
    return jax.lax.scatter_add(
        canvas,
        places,
        patches,
        jax.lax.ScatterDimensionNumbers(
            update_window_dims=(1, 2, 3),
            inserted_window_dims=(),
            scatter_dims_to_operand_dims=(0, 1),
        ),
    )


def _windows(
    values: jax.Array, side: int, stride: int, padding: int, mode: str
) -> jax.Array:
    """What a kernel of `side` sees at each place: [B, K, places, side]."""
    padded = jnp.pad(values, ((0, 0), (0, 0), (padding, padding)), mode=mode)
    num_places = (padded.shape[-1] - side) // stride + 1
    # Slices, not a gather: TPUs do gathers one after the other.
    reach = stride * (num_places - 1) + 1
    seen = [padded[..., k : k + reach : stride] for k in range(side)]
    return jnp.stack(seen, axis=-1)
