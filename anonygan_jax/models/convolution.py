"""Convolutions padded as in the release, as XLA's or as products of matrices.

Dimension letters: B batch, H W image, h w feature map, C channels, F features,
P positions.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype
from jaxtyping import Array, Float

LAX, MATMUL = "lax", "matmul"
CONVOLUTIONS = (LAX, MATMUL)
ONNX = "onnx"  # as LAX, of operations that are quick in ONNX, for exports
KERNEL_INIT = nn.initializers.normal(0.02)  # as pix2pix and its descendants
Padding = tuple[tuple[int, int], tuple[int, int]]  # rows and columns, before and after

# _TAPS[phase, tap, k]: does kernel row k act on the tap-th neighbour (0: the pixel
# itself, 1: the next) for the even (phase 0) or odd (phase 1) rows of the result?
_TAPS = np.array([[[0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 1]]], np.float32)


def convolve(
    x: Float[Array, "B H W C"],
    kernel: Float[Array, "k l C F"],
    stride: int,
    padding: Padding,
    convolution: str,
) -> Float[Array, "B h w F"]:
    """Returns the convolution of x with a kernel.

    Args:
      stride: step in both directions.
      padding: zeros before and after the rows, and the columns.
      convolution: "lax", XLA's own; or "matmul", one product of matrices. The rows of
        that matrix hold each pixel's neighbourhood: k * l times the memory.
    """
    if convolution != MATMUL:
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            padding,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    patches = _patches(x, kernel.shape[:2], stride)
    batch, height, width, size = patches.shape
    rows = patches.reshape(batch, height * width, size)
    out = _product(rows, kernel.reshape(size, -1))
    return out.reshape(batch, height, width, -1)


def _patches(x: jax.Array, size: tuple[int, ...], stride: int) -> jax.Array:
    """The neighbourhoods under a kernel, [B, h, w, k * l * C]."""
    rows, columns = (
        (x.shape[1 + axis] - size[axis]) // stride * stride + 1 for axis in (0, 1)
    )
    taps = [
        x[:, i : i + rows : stride, j : j + columns : stride]
        for i in range(size[0])
        for j in range(size[1])
    ]
    return jnp.concatenate(taps, axis=-1)


@jax.custom_vjp
def _product(rows: jax.Array, kernel: jax.Array) -> jax.Array:
    """[B, P, k * l * C] times [k * l * C, F]."""
    return rows @ kernel


def _backward(saved: tuple[jax.Array, jax.Array], cotangent: jax.Array):
    """The kernel's gradient image by image.

    In one product a few columns would wait for a sum over millions of rows.
    """
    rows, kernel = saved
    images = jnp.einsum(
        "bpk,bpf->bkf", rows, cotangent, preferred_element_type=jnp.float32
    )
    to_kernel = jax.lax.optimization_barrier(images).sum(0)
    return cotangent @ kernel.T, to_kernel.astype(kernel.dtype)


_product.defvjp(lambda rows, kernel: (rows @ kernel, (rows, kernel)), _backward)


class Conv(nn.Module):
    """Convolution of a square kernel, padded as PyTorch pads.

    Attributes:
      features: channels of the result.
      kernel_size: side of the kernel.
      stride: step in both directions.
      padding: pixels added on every side.
      reflect: pad with the mirror image instead of zeros.
      use_bias: add a bias per channel.
      dtype: see `PrecisionPolicy`.
      convolution: see `convolve`.
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    reflect: bool = False
    use_bias: bool = False
    dtype: Any = None
    convolution: str = LAX

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float [B, h, w, features]."""
        return self._add_bias(self._convolve(x, self._kernel(x.shape[-1])))

    def _kernel(self, num_channels: int) -> jax.Array:
        """The parameter of the convolution."""
        shape = (self.kernel_size, self.kernel_size, num_channels, self.features)
        return jnp.asarray(self.param("kernel", KERNEL_INIT, shape))

    def _convolve(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """The convolution with its padding."""
        x, kernel = promote_dtype(x, kernel, dtype=self.dtype)
        pad = self.padding
        if self.reflect:
            mirror = reflect_gather if self.convolution == ONNX else reflect_pad
            x, pad = mirror(x, pad), 0
        return convolve(x, kernel, self.stride, ((pad, pad),) * 2, self.convolution)

    def _add_bias(self, out: jax.Array) -> jax.Array:
        """The result, with its bias if there is one."""
        if self.use_bias:
            bias = self.param("bias", nn.initializers.zeros, (self.features,))
            out += jnp.tile(bias, out.shape[-1] // self.features)
        return out if self.dtype is None else out.astype(self.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def reflect_pad(x: Float[Array, "B H W C"], width: int) -> Float[Array, "B h w C"]:
    """Returns x with `width` more pixels on every side, mirrored at the outer pixels.

    The result is that of `jnp.pad` with mode "reflect". The gradient goes through the
    array once; that of `jnp.pad` goes through it four times.

    Args:
      width: pixels, less than H and W.
    """
    pad = (width, width)
    return jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode="reflect")


def reflect_gather(x: Float[Array, "B H W C"], width: int) -> Float[Array, "B h w C"]:
    """Returns what `reflect_pad` does, in two operations of ONNX instead of dozens."""
    for axis in (1, 2):
        places = np.pad(np.arange(x.shape[axis]), width, mode="reflect")
        x = jnp.take(x, places, axis=axis)
    return x


def _fold_border(width: int, _: None, cotangent: jax.Array) -> tuple:
    """The gradient of each pixel: its own and those of its mirror images."""
    total = jnp.zeros((), cotangent.dtype)
    for top, bottom, rows in _parts(cotangent.shape[1], width):
        for left, right, columns in _parts(cotangent.shape[2], width):
            part = cotangent[:, rows, columns]
            around = ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0))
            total += jax.lax.pad(part, jnp.zeros((), part.dtype), around)
    return (total,)


def _parts(length: int, width: int) -> list[tuple[int, int, slice]]:
    """Middle and mirrored ends of a padded axis: pixels before, after, and which."""
    rest = length - 3 * width - 1
    return [
        (0, 0, slice(width, length - width)),
        (1, rest, slice(width - 1, None, -1)),
        (rest, 1, slice(length - 1, length - width - 1, -1)),
    ]


reflect_pad.defvjp(lambda x, width: (reflect_pad(x, width), None), _fold_border)


class UpConv(nn.Module):
    """Transposed 3x3 convolution that doubles height and width; no bias.

    Equals PyTorch's ConvTranspose2d with stride 2, padding 1, output padding 1 (its
    kernel turned by 180 degrees). It is computed as one 2x2 convolution whose channels
    are the 2x2 pixels that each input pixel becomes: the gradient of a dilated
    convolution is ten times slower on CPUs.

    Attributes:
      features: channels of the result.
      dtype, convolution: see `Conv`.
      use_space_to_depth: return [B, H, W, 4F], see `models.space_to_depth`.
    """

    features: int
    dtype: Any = None
    convolution: str = LAX
    use_space_to_depth: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float [B, 2H, 2W, features]."""
        kernel = self.param("kernel", KERNEL_INIT, (3, 3, x.shape[-1], self.features))
        phases = jnp.einsum("pak,qbl,klio->abipqo", _TAPS, _TAPS, kernel)
        phases = phases.reshape(2, 2, x.shape[-1], 4 * self.features)
        x, phases = promote_dtype(x, phases, dtype=self.dtype)
        y = convolve(x, phases, 1, ((0, 1), (0, 1)), self.convolution)
        return y if self.use_space_to_depth else depth_to_space(y)


def depth_to_space(x: Float[Array, "B H W C"]) -> Float[Array, "B h w c"]:
    """Returns float [B, 2H, 2W, C / 4]: channels become blocks of 2x2 pixels.

    Args:
      x: float [B, H, W, C]; channels are ordered (row, column, channel of a pixel).
    """
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, 2, 2, channels // 4)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, 2 * height, 2 * width, channels // 4)
