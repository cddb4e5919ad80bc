"""Layers shared by the networks: BatchNorm, dropout, linear layers.

Dimension letters: B batch, H W image, h w feature map, C channels, K landmarks,
N graph nodes, S node states, P positions.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PRNGKeyArray

MOMENTUM = 0.9  # share of the old running statistics that each update keeps


@dataclasses.dataclass(frozen=True)
class PrecisionPolicy:
    """Types of the computation; parameters and running statistics are float32 always.

    Attributes:
      dtype: of convolutions and of arrays between layers; None for the parameters'.
        Sums of batch statistics and of the graph's nodes are float32 even so: the
        nodes add up thousands of positions without being normalised.
    """

    dtype: Any = None


def promote_to_float32(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns x in float32 at least: for sums, colours, logits and losses."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def param_dtype() -> Any:
    """Returns the type of parameters: float32, or float64 where x64 is enabled."""
    return jnp.result_type(float)


def dense(features: int, name: str) -> nn.Dense:
    """Returns a linear layer."""
    return nn.Dense(features, param_dtype=param_dtype(), name=name)


class Dropout(nn.Module):
    """Sets a share of the features to 0 in training and enlarges the others.

    As `nn.Dropout`, with half the random bits.

    Attributes:
      rate: the share, in steps of 1 / 65,536.
    """

    rate: float

    @nn.compact
    def __call__(self, x: Float[Array, "*B"], train: bool) -> Float[Array, "*B"]:
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
      epsilon: added to the variance.
      num_pixels: pixels whose channels are side by side, 4 after `space_to_depth`; they
        share statistics and parameters.
    """

    epsilon: float = 1e-5
    num_pixels: int = 1

    @nn.compact
    def __call__(self, x: Float[Array, "*P C"], train: bool) -> Float[Array, "*P C"]:
        """Returns x normalised by the batch (train) or by the running statistics."""
        shape = (x.shape[-1] // self.num_pixels,)
        scale = self._tile(self.param("scale", _scale_init, shape))
        bias = self._tile(self.param("bias", nn.initializers.zeros, shape))
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        values = promote_to_float32(x)
        means, variances = self._tile(mean.value), self._tile(var.value)
        if train:
            means, variances = self._moments(values, around=means)
        if train and not self.is_initializing():
            count = values.size // shape[0]
            unbiased = count / max(count - 1, 1)
            mean.value = self._blend(mean.value, means[: shape[0]])
            var.value = self._blend(var.value, unbiased * variances[: shape[0]])
        factor = scale * jax.lax.rsqrt(variances + self.epsilon)
        if train:
            return ((values - means) * factor + bias).astype(x.dtype)
        return (values * factor + (bias - means * factor)).astype(x.dtype)

    def _moments(
        self, values: jax.Array, around: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of each channel in one pass.

        Both are sums around the running mean, so that digits are kept once it is near.
        """
        first = self._mean(values - around)
        second = self._mean(jnp.square(values - around))
        variances = second - jnp.square(first)
        # Rounding can make the difference negative. Without gradient, as that of a
        # maximum makes XLA round other gradients differently.
        variances += jax.lax.stop_gradient(jnp.maximum(-variances, 0))
        return around + first, variances

    def _mean(self, values: jax.Array) -> jax.Array:
        """Mean of each channel, [C]."""
        means = values.mean(tuple(range(values.ndim - 1)))
        return self._tile(means.reshape(self.num_pixels, -1).mean(0))

    def _tile(self, channels: ArrayLike) -> jax.Array:
        """The same for each of the pixels."""
        return jnp.tile(channels, self.num_pixels)

    def _blend(self, old: Any, new: jax.Array) -> jax.Array:
        """Running statistics after one more batch."""
        return MOMENTUM * old + (1 - MOMENTUM) * new


def _scale_init(key: PRNGKeyArray, shape: tuple[int, ...]) -> jax.Array:
    """Scales near one, as pix2pix and its descendants start them: N(1, 0.02)."""
    return 1.0 + 0.02 * jax.random.normal(key, shape)
