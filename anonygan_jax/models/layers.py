"""Layers shared by the networks: convolutions padded as in the release, BatchNorm.

Dimension letters: B batch, H W image, h w feature map, C channels, K landmarks,
N graph nodes, S node states, P positions.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype

from anonygan_jax.data.heatmaps import Heatmaps, convolve_heatmaps

_NHWC = ("NHWC", "HWIO", "NHWC")
# _TAPS[phase, tap, k]: does kernel row k act on the tap-th neighbour (0: the pixel
# itself, 1: the next) for the even (phase 0) or odd (phase 1) rows of the result?
_TAPS = np.array([[[0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 1]]], np.float32)


KERNEL_INIT = nn.initializers.normal(0.02)  # as pix2pix and its descendants


@dataclasses.dataclass(frozen=True)
class Numerics:
    """How networks compute; parameters and running statistics are float32 always.

    Attributes:
      dtype: of convolutions and of what lies between layers; None for the parameters'.
        Sums of batch statistics and of the graph's nodes are float32 even so: the
        nodes add up thousands of positions without being normalised.
      num_groups: see `BatchNorm`.
    """

    dtype: Any = None
    num_groups: int = 1


def wide(x: jax.Array) -> jax.Array:
    """Returns x in float32 at least: for sums, colours, logits and losses."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


class Conv(nn.Module):
    """Convolution of a square kernel, padded as PyTorch pads.

    Heatmaps may stand for the last channels of the input; they are convolved as the
    outer products they are.

    Attributes:
      features: channels of the result.
      kernel_size: side of the kernel.
      stride: step in both directions.
      padding: pixels added on every side.
      reflect: pad with the mirror image instead of zeros.
      use_bias: add a bias per channel.
      dtype: see `Numerics`.
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    reflect: bool = False
    use_bias: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(
        self, x: jax.Array | None, heatmaps: Heatmaps | None = None
    ) -> jax.Array:
        """Returns float [B, h, w, features].

        Args:
          x: float [B, H, W, C]; None where heatmaps are all there is.
          heatmaps: K further channels.
        """
        num_dense = 0 if x is None else x.shape[-1]
        num_sparse = 0 if heatmaps is None else heatmaps.rows.shape[1]
        shape = (self.kernel_size,) * 2 + (num_dense + num_sparse, self.features)
        kernel = self.param("kernel", KERNEL_INIT, shape)
        out = jnp.zeros(())
        if x is not None:
            out = self._convolve(x, kernel[:, :, :num_dense])
        if heatmaps is not None:
            rest, mode = kernel[:, :, num_dense:], self._pad_mode
            out += convolve_heatmaps(heatmaps, rest, self.stride, self.padding, mode)
        if self.use_bias:
            out += self.param("bias", nn.initializers.zeros, (self.features,))
        return out if self.dtype is None else out.astype(self.dtype)

    @property
    def _pad_mode(self) -> str:
        return "reflect" if self.reflect else "constant"

    def _convolve(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        """The dense part."""
        x, kernel = promote_dtype(x, kernel, dtype=self.dtype)
        pad = (self.padding, self.padding)
        if self.reflect:
            x = jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode="reflect")
            pad = (0, 0)
        return jax.lax.conv_general_dilated(
            x, kernel, (self.stride,) * 2, (pad, pad), dimension_numbers=_NHWC
        )


class UpConv(nn.Module):
    """Transposed 3x3 convolution that doubles height and width; no bias.

    Equals PyTorch's ConvTranspose2d with stride 2, padding 1, output padding 1 (its
    kernel turned by 180 degrees). Computed as one 2x2 convolution to the four pixels
    that each input pixel becomes: the gradient of a dilated one is ten times slower
    on CPUs.
    """

    features: int
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float [B, 2h, 2w, features]."""
        kernel = self.param("kernel", KERNEL_INIT, (3, 3, x.shape[-1], self.features))
        phases = jnp.einsum("pak,qbl,klio->abipqo", _TAPS, _TAPS, kernel)
        phases = phases.reshape(2, 2, x.shape[-1], 4 * self.features)
        x, phases = promote_dtype(x, phases, dtype=self.dtype)
        pad = ((0, 1), (0, 1))
        y = jax.lax.conv_general_dilated(
            x, phases, (1, 1), pad, dimension_numbers=_NHWC
        )
        batch, height, width, _ = y.shape
        y = y.reshape(batch, height, width, 2, 2, self.features)
        y = y.transpose(0, 1, 3, 2, 4, 5)
        return y.reshape(batch, 2 * height, 2 * width, self.features)


class BatchNorm(nn.Module):
    """Batch normalisation over all axes but the last, in float32 at least.

    Differs from `nn.BatchNorm`: the running variance is Bessel-corrected, as PyTorch's
    is, so that ported and trained statistics mean the same.

    Attributes:
      momentum: share of the old running statistics that is kept at each update.
      epsilon: added to the variance.
      num_groups: parts of the batch that are normalised each by itself; the running
        statistics follow the first. As many as there are devices does what PyTorch's
        DataParallel did for the release; 1 normalises the whole batch.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    num_groups: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns x normalised by the batch (train) or by the running statistics."""
        shape = (x.shape[-1],)
        scale = self.param("scale", _scale_init, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        if not train:
            normal = _normalise(wide(x), mean.value, var.value, self.epsilon)
            return (normal * scale + bias).astype(x.dtype)
        groups = wide(x).reshape(self.num_groups, -1, *x.shape[1:])
        axes = tuple(range(1, groups.ndim - 1))
        means = groups.mean(axes, keepdims=True)
        variances = jnp.square(groups - means).mean(axes, keepdims=True)
        if not self.is_initializing():
            count = groups[0].size // x.shape[-1]
            unbiased = variances[0].reshape(shape) * (count / max(count - 1, 1))
            mean.value = self._blend(mean.value, means[0].reshape(shape))
            var.value = self._blend(var.value, unbiased)
        normal = _normalise(groups, means, variances, self.epsilon).reshape(x.shape)
        return (normal * scale + bias).astype(x.dtype)

    def _blend(self, old: jax.Array, new: jax.Array) -> jax.Array:
        """Running statistics after one more batch."""
        return self.momentum * old + (1 - self.momentum) * new


def _normalise(
    x: jax.Array, mean: jax.Array, var: jax.Array, epsilon: float
) -> jax.Array:
    """Zero mean, unit variance."""
    return (x - mean) * jax.lax.rsqrt(var + epsilon)


def _scale_init(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Scales near one, as pix2pix and its descendants start them: N(1, 0.02)."""
    return 1.0 + 0.02 * jax.random.normal(key, shape)
