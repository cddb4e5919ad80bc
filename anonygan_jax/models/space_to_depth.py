"""Convolutions at full resolution, computed on blocks of 2x2 pixels.

A block's pixels become the channels of one: [B, H, W, C] -> [B, H/2, W/2, 4C], ordered
(row, column, channel). Accelerators multiply and store matrices of 128 columns, most of
which 3 or 64 channels leave empty. Parameters are those of the plain convolution, whose
results these are.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype

from anonygan_jax.models.heatmaps import (
    Heatmaps,
    convolve_heatmaps,
    scatter_onehot_kernels,
)
from anonygan_jax.models.layers import KERNEL_INIT, NHWC, Conv, reflect_pad

REACH = 2  # blocks that a reflected border is wide


def space_to_depth(x: jax.Array) -> jax.Array:
    """Returns [B, H/2, W/2, 4C] from [B, H, W, C], H and W even."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // 2, width // 2, -1)


def _pack_few(x: jax.Array, dtype: Any) -> jax.Array:
    """`space_to_depth` as a convolution; for few channels a tenth of its time on TPUs."""
    channels = x.shape[-1]
    places = jnp.eye(4 * channels).reshape(2, 2, channels, 4 * channels)
    x, places = promote_dtype(x, places, dtype=dtype)
    return jax.lax.conv_general_dilated(
        x, places, (2, 2), "VALID", dimension_numbers=NHWC
    )


def depth_to_space(x: jax.Array) -> jax.Array:
    """Returns [B, 2h, 2w, C] from [B, h, w, 4C]."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, 2, 2, channels // 4)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, 2 * height, 2 * width, channels // 4)


class SpaceToDepthConv(Conv):
    """The same convolution of images or packed features; a stride is 1 or 2.

    With stride 1 the result is packed; with stride 2 it is plain and half as large.
    """

    @nn.compact
    def __call__(  # type: ignore[override]
        self,
        image: jax.Array | None = None,
        heatmaps: Heatmaps | None = None,
        packed: jax.Array | None = None,
    ) -> jax.Array:
        """Returns float [B, H/2, W/2, 4 * features], or features with stride 2.

        Args:
          image: float [B, H, W, C].
          heatmaps: K further channels, convolved as the outer products they are.
          packed: float [B, H/2, W/2, 4C], instead of an image.
        """
        num_dense = 0 if image is None else image.shape[-1]
        if packed is not None:
            num_dense = packed.shape[-1] // 4
        num_sparse = 0 if heatmaps is None else heatmaps.rows.shape[1]
        shape = (self.kernel_size,) * 2 + (num_dense + num_sparse, self.features)
        kernel = self.param("kernel", KERNEL_INIT, shape)
        out = jnp.zeros(())
        if image is not None:
            out = self._dense(self._convolve_image, image, kernel[:, :, :num_dense])
        if packed is not None:
            out = self._dense(self._convolve_packed, packed, kernel[:, :, :num_dense])
        if heatmaps is not None:
            rest = kernel[:, :, num_dense:]
            if self.dtype is not None:
                heatmaps, rest = jax.tree.map(
                    lambda x: x.astype(self.dtype), (heatmaps, rest)
                )
            out += self._sparse(heatmaps, rest)
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            out += jnp.tile(bias, out.shape[-1] // self.features)
        return out if self.dtype is None else out.astype(self.dtype)

    @property
    def _mode(self) -> str:
        return "reflect" if self.reflect else "constant"

    def _dense(
        self, convolve: Callable[..., jax.Array], x: jax.Array, kernel: jax.Array
    ) -> jax.Array:
        """The dense part; CPUs gain nothing from blocks and lose by their zeros."""
        if self.stride == 2 or self.kernel_size == 1:
            return convolve(x, kernel)
        is_packed = convolve == self._convolve_packed

        def plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
            x, pad = depth_to_space(x) if is_packed else x, self.padding
            if self.reflect:
                x, pad = reflect_pad(x, pad), 0
            return space_to_depth(self._convolve(x, kernel, (pad, pad)))

        return jax.lax.platform_dependent(x, kernel, cpu=plain, default=convolve)

    def _sparse(self, heatmaps: Heatmaps, kernel: jax.Array) -> jax.Array:
        """The part of the landmarks, by what is quickest where it runs."""
        how = (self.stride, self.padding, self._mode)

        def products(heatmaps: Heatmaps, kernel: jax.Array) -> jax.Array:
            return convolve_heatmaps(heatmaps, kernel, *how, self.stride == 1)

        def stamps(heatmaps: Heatmaps, kernel: jax.Array) -> jax.Array:
            plain = scatter_onehot_kernels(heatmaps, kernel, *how)
            return space_to_depth(plain) if self.stride == 1 else plain

        cpu = stamps if heatmaps.is_one_hot else products
        return jax.lax.platform_dependent(heatmaps, kernel, cpu=cpu, default=products)

    def _convolve_image(self, image: jax.Array, kernel: jax.Array) -> jax.Array:
        """Padded before it is packed."""
        pad = (self.padding, self.padding)
        image = jnp.pad(image, ((0, 0), pad, pad, (0, 0)), mode=self._mode)
        blocks, _ = space_to_depth_kernel(kernel, 0, self.stride)
        return self._convolve(_pack_few(image, self.dtype), blocks, (0, 0))

    def _convolve_packed(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """Blocks of zeros, or of the mirror image, around."""
        blocks, before = space_to_depth_kernel(kernel, self.padding, self.stride)
        after = len(blocks) - 1 - before
        if self.reflect:
            x = reflect_blocks(reflect_blocks(x, 1), 2)
            height, width = x.shape[1:3]
            first, last = REACH - before, REACH - after
            x = x[:, first : height - last, first : width - last]
            before = after = 0
        return self._convolve(x, blocks, (before, after))

    def _convolve(
        self, x: jax.Array, kernel: jax.Array, pad: tuple[int, int]
    ) -> jax.Array:
        """A convolution without stride, of blocks or pixels."""
        x, kernel = promote_dtype(x, kernel, dtype=self.dtype)
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), (pad, pad), dimension_numbers=NHWC
        )


def space_to_depth_kernel(
    kernel: jax.Array, padding: int, stride: int
) -> tuple[jax.Array, int]:
    """Returns a kernel over blocks, and how many of them it reaches back.

    Args:
      kernel: float [k, k, C, F].
      padding: pixels that the kernel reaches back.
      stride: 1 for all four pixels of a block, 2 for the first alone.

    Returns:
      Float [n, n, 4C, 4F], with stride 2 [n, n, 4C, F].
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


def reflect_blocks(x: jax.Array, axis: int) -> jax.Array:
    """Returns packed features with `REACH` more blocks on both sides, pixels mirrored.

    Args:
      x: float [B, h, w, 4C].
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
