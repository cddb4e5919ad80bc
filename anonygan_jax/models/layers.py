"""Layers shared by the networks: convolutions padded as in the release, BatchNorm.

Dimension letters: B batch, H W image, h w feature map, C channels, K landmarks,
N graph nodes, S node states, P positions.
"""

import dataclasses
import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.linen.dtypes import promote_dtype

NHWC = ("NHWC", "HWIO", "NHWC")
# _TAPS[phase, tap, k]: does kernel row k act on the tap-th neighbour (0: the pixel
# itself, 1: the next) for the even (phase 0) or odd (phase 1) rows of the result?
_TAPS = np.array([[[0, 1, 0], [0, 0, 0]], [[1, 0, 0], [0, 0, 1]]], np.float32)


KERNEL_INIT = nn.initializers.normal(0.02)  # as pix2pix and its descendants


@dataclasses.dataclass(frozen=True)
class PrecisionPolicy:
    """How networks compute; parameters and running statistics are float32 always.

    Attributes:
      dtype: of convolutions and of what lies between layers; None for the parameters'.
        Sums of batch statistics and of the graph's nodes are float32 even so: the
        nodes add up thousands of positions without being normalised.
    """

    dtype: Any = None


def promote_to_float32(x: jax.Array) -> jax.Array:
    """Returns x in float32 at least: for sums, colours, logits and losses."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def param_dtype() -> Any:
    """Returns the type of parameters: float32, or float64 where JAX is told to."""
    return jnp.result_type(float)


def dense(features: int, name: str) -> nn.Dense:
    """Returns a linear layer."""
    return nn.Dense(features, param_dtype=param_dtype(), name=name)


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
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    reflect: bool = False
    use_bias: bool = False
    dtype: Any = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float [B, h, w, features] from [B, H, W, C]."""
        shape = (self.kernel_size,) * 2 + (x.shape[-1], self.features)
        kernel = self.param("kernel", KERNEL_INIT, shape)
        x, kernel = promote_dtype(x, kernel, dtype=self.dtype)
        pad = (self.padding, self.padding)
        if self.reflect:
            x = reflect_pad(x, self.padding)
            pad = (0, 0)
        out = jax.lax.conv_general_dilated(
            x, kernel, (self.stride,) * 2, (pad, pad), dimension_numbers=NHWC
        )
        if self.use_bias:
            out += self.param("bias", nn.initializers.zeros, (self.features,))
        return out if self.dtype is None else out.astype(self.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def reflect_pad(x: jax.Array, width: int) -> jax.Array:
    """Returns [B, H + 2 * width, W + 2 * width, C], mirrored at the outer pixels.

    As `jnp.pad`, whose gradient goes through the array four times instead of once.
    """
    pad = (width, width)
    return jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode="reflect")


def _reflect_pad_forward(x: jax.Array, width: int) -> tuple[jax.Array, None]:
    return reflect_pad(x, width), None


def _reflect_pad_backward(width: int, _: None, cotangent: jax.Array) -> tuple:
    """Each pixel collects what its mirror images got."""
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


reflect_pad.defvjp(_reflect_pad_forward, _reflect_pad_backward)


class UpConv(nn.Module):
    """Transposed 3x3 convolution that doubles height and width; no bias.

    Equals PyTorch's ConvTranspose2d with stride 2, padding 1, output padding 1 (its
    kernel turned by 180 degrees). Computed as one 2x2 convolution to the four pixels
    that each input pixel becomes: the gradient of a dilated one is ten times slower
    on CPUs. Those four are what `packed` calls a block.

    Attributes:
      features: channels of the result.
      dtype: see `PrecisionPolicy`.
      packed: leave the result packed.
    """

    features: int
    dtype: Any = None
    packed: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float [B, 2h, 2w, features]; packed: [B, h, w, 4 * features]."""
        kernel = self.param("kernel", KERNEL_INIT, (3, 3, x.shape[-1], self.features))
        phases = jnp.einsum("pak,qbl,klio->abipqo", _TAPS, _TAPS, kernel)
        phases = phases.reshape(2, 2, x.shape[-1], 4 * self.features)
        x, phases = promote_dtype(x, phases, dtype=self.dtype)
        pad = ((0, 1), (0, 1))
        y = jax.lax.conv_general_dilated(x, phases, (1, 1), pad, dimension_numbers=NHWC)
        if self.packed:
            return y
        batch, height, width, _ = y.shape
        y = y.reshape(batch, height, width, 2, 2, self.features)
        y = y.transpose(0, 1, 3, 2, 4, 5)
        return y.reshape(batch, 2 * height, 2 * width, self.features)


class Dropout(nn.Module):
    """Sets a share of the features to 0 in training and enlarges the others.

    As `nn.Dropout`, with half the random bits.

    Attributes:
      rate: the share, in steps of 1 / 65,536.
    """

    rate: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns an array of the same shape; in training give a "dropout" rng."""
        if not train or not self.rate:
            return x
        bits = jax.random.bits(self.make_rng("dropout"), x.shape, jnp.uint16)
        kept = bits >= round(self.rate * 2**16)
        return jnp.where(kept, x / (1 - self.rate), jnp.zeros((), x.dtype))


class BatchNorm(nn.Module):
    """Batch normalisation over all axes but the last, in float32 at least.

    Differs from `nn.BatchNorm`: the running variance is Bessel-corrected, as PyTorch's
    is, so that ported and trained statistics mean the same.

    Attributes:
      momentum: share of the old running statistics that is kept at each update.
      epsilon: added to the variance.
      num_packed: pixels whose channels stand side by side, see `packed`; they share
        statistics and parameters.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    num_packed: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns x normalised by the batch (train) or by the running statistics."""
        shape = (x.shape[-1] // self.num_packed,)
        scale = self._tile(self.param("scale", _scale_init, shape))
        bias = self._tile(self.param("bias", nn.initializers.zeros, shape))
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        if not train:
            means, variances = self._tile(mean.value), self._tile(var.value)
            normal = _normalise(promote_to_float32(x), means, variances, self.epsilon)
            return (normal * scale + bias).astype(x.dtype)
        values = promote_to_float32(x)
        # Both moments in one pass; around the running mean, lest digits are lost.
        around = self._tile(mean.value)
        first = self._mean(values - around)
        variances = self._mean(jnp.square(values - around)) - jnp.square(first)
        means = around + first
        if not self.is_initializing():
            count = values.size // shape[0]
            unbiased = count / max(count - 1, 1)
            mean.value = self._blend(mean.value, means[: shape[0]])
            var.value = self._blend(var.value, unbiased * variances[: shape[0]])
        normal = _normalise(values, means, variances, self.epsilon)
        return (normal * scale + bias).astype(x.dtype)

    def _mean(self, values: jax.Array) -> jax.Array:
        """Mean of each channel, [C]."""
        means = values.mean(tuple(range(values.ndim - 1)))
        return self._tile(means.reshape(self.num_packed, -1).mean(0))

    def _tile(self, channels: jax.Array) -> jax.Array:
        """The same for each of the packed pixels."""
        return jnp.tile(channels, self.num_packed)

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
