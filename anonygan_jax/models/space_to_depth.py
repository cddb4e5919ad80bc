"""Convolutions at full resolution, computed on blocks of 2x2 pixels.

A block's pixels become the channels of one position: [B, H, W, C] -> [B, H/2, W/2, 4C],
ordered (row, column, channel). TPUs multiply and store rows of 128 channels, most of
which 3 or 64 channels leave empty. XLA's estimate for the paper's step on v5e: 68.3 ms
without blocks, 58.1 ms with them. CPUs gain nothing: a step takes 6% longer with blocks
(docs/SCALING.md). So `ModelConfig.use_space_to_depth` is for TPUs.

Parameters and results are those of the convolution of pixels.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

from anonygan_jax.models.convolution import LAX, convolve
from anonygan_jax.models.heatmap_conv import HeatmapConv
from anonygan_jax.models.heatmaps import Heatmaps, convolve_heatmaps

REACH = 2  # blocks added on each side by `reflect_blocks`


def _space_to_depth(x: jax.Array, dtype: Any) -> jax.Array:
    """The blocks of an image, by a convolution.

    For few channels it takes a tenth of the time of a transposition on TPUs.
    """
    channels = x.shape[-1]
    places = jnp.eye(4 * channels).reshape(2, 2, channels, 4 * channels)
    x, places = promote_dtype(x, places, dtype=dtype)
    return convolve(x, places, 2, ((0, 0), (0, 0)), LAX)


class SpaceToDepthConv(HeatmapConv):
    """The same convolution, with blocks as its result where the stride is 1.

    With stride 2 its result are pixels, half as many in both directions.

    Attributes:
      takes_blocks: the input is blocks [B, H/2, W/2, 4C] instead of an image.
    """

    takes_blocks: bool = False

    def _num_channels(self, x: jax.Array) -> int:
        return x.shape[-1] // (4 if self.takes_blocks else 1)

    def _convolve(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        if self.takes_blocks:
            return self._convolve_blocks(x, kernel)
        # An image is padded before its pixels become blocks.
        pad = (self.padding, self.padding)
        x = jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode=self.pad_mode)
        blocks, _ = space_to_depth_kernel(kernel, 0, self.stride)
        x = _space_to_depth(x, self.dtype)
        return self._without_stride(x, blocks, (0, 0))

    def _convolve_blocks(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """Blocks of zeros, or of the mirror image, are added around."""
        blocks, before = space_to_depth_kernel(kernel, self.padding, self.stride)
        after = len(blocks) - 1 - before
        if self.reflect:
            x = reflect_blocks(reflect_blocks(x, 1), 2)
            height, width = x.shape[1:3]
            first, last = REACH - before, REACH - after
            x = x[:, first : height - last, first : width - last]
            before = after = 0
        return self._without_stride(x, blocks, (before, after))

    def _without_stride(
        self, x: jax.Array, blocks: jax.Array, pad: tuple[int, int]
    ) -> jax.Array:
        """The convolution of blocks by a kernel over blocks."""
        x, blocks = promote_dtype(x, blocks, dtype=self.dtype)
        return convolve(x, blocks, 1, (pad, pad), self.convolution)

    def _convolve_heatmaps(self, heatmaps: Heatmaps, kernel: jax.Array) -> jax.Array:
        return convolve_heatmaps(
            heatmaps,
            kernel,
            self.stride,
            self.padding,
            self.pad_mode,
            use_space_to_depth=self.stride == 1,
        )


def space_to_depth_kernel(
    kernel: Float[Array, "k k C F"], padding: int, stride: int
) -> tuple[Float[Array, "n n c f"], int]:
    """Returns a kernel over blocks, and the blocks that it reaches back.

    Args:
      padding: pixels that the kernel reaches back.
      stride: 1 for all four pixels of a block, 2 for the first alone.

    Returns:
      Float [n, n, 4C, 4F], with stride 2 [n, n, 4C, F]; and a number of blocks.
    """
    side, before = len(kernel), -(-padding // 2)
    wanted = np.arange(1 if stride == 2 else 2)
    place = wanted[:, None] + np.arange(side) - padding + 2 * before
    num_blocks = int(place.max()) // 2 + 1
    # taps[p, a, q, k]: does row k act, for pixel p, on pixel q of the a-th block?
    block, pixel = np.arange(num_blocks), np.arange(2)
    taps = (place[:, None, None] // 2 == block[:, None, None]) & (
        place[:, None, None] % 2 == pixel[:, None]
    )
    taps = taps.astype(kernel.dtype)
    blocks = jnp.einsum("paqk,rbsl,klio->abqsipro", taps, taps, kernel)
    shape = (num_blocks, num_blocks, 4 * kernel.shape[2], -1)
    return blocks.reshape(shape), before


def reflect_blocks(x: Float[Array, "B H W C"], axis: int) -> Float[Array, "B h w C"]:
    """Returns blocks with `REACH` more of them on both sides, mirrored by the pixel.

    Args:
      x: float [B, H, W, C], blocks.
      axis: 1 for rows, 2 for columns.
    """
    length = x.shape[axis]
    first = jax.lax.slice_in_dim(x, 0, REACH + 1, axis=axis)
    last = jax.lax.slice_in_dim(x, length - REACH - 1, length, axis=axis)
    return jnp.concatenate([_mirrored(first, axis), x, _mirrored(last, axis)], axis)


def _mirrored(strip: jax.Array, axis: int) -> jax.Array:
    """The border that mirrors a strip of three blocks at its outer pixel."""
    batch, height, width, channels = strip.shape
    pixels = strip.reshape(batch, height, width, 2, 2, channels // 4)
    pixels = jnp.moveaxis(pixels, axis + 2, axis + 1)  # a block's pixels beside it
    shape = list(pixels.shape)
    shape[axis : axis + 2] = [2 * shape[axis]]
    pixels = pixels.reshape(shape)
    pixels = jax.lax.rev(
        jax.lax.slice_in_dim(pixels, 1, 2 * REACH + 1, axis=axis), (axis,)
    )
    shape[axis : axis + 1] = [REACH, 2]
    pixels = jnp.moveaxis(pixels.reshape(shape), axis + 1, axis + 2)
    size = [batch, height, width, channels]
    size[axis] = REACH
    return pixels.reshape(size)
