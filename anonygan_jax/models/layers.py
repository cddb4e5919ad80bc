"""Layers shared by the networks: convolutions padded as in the release, BatchNorm.

Dimension letters: B batch, H W image, h w feature map, C channels, K landmarks,
N graph nodes, S node states, P positions.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp


class Conv(nn.Module):
    """Convolution with PyTorch's padding.

    Attributes:
      features: channels of the result.
      kernel_size: side of the square kernel.
      stride: step in both directions.
      padding: pixels added on every side.
      reflect: pad with the mirror image instead of zeros.
      use_bias: add a bias per channel.
    """

    features: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    reflect: bool = False
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float32 [B, h, w, features]."""
        padding = self.padding
        if self.reflect:
            x = reflect_pad(x, padding)
            padding = 0
        return nn.Conv(
            self.features,
            (self.kernel_size, self.kernel_size),
            strides=self.stride,
            padding=padding,
            use_bias=self.use_bias,
            kernel_init=nn.initializers.normal(0.02),
            name="conv",
        )(x)


class UpConv(nn.Module):
    """Transposed 3x3 convolution that doubles height and width; no bias.

    Equals PyTorch's ConvTranspose2d with stride 2, padding 1, output padding 1.
    """

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Returns float32 [B, 2h, 2w, features]."""
        return nn.ConvTranspose(
            self.features,
            (3, 3),
            strides=(2, 2),
            padding=((1, 2), (1, 2)),
            use_bias=False,
            kernel_init=nn.initializers.normal(0.02),
            name="conv",
        )(x)


class BatchNorm(nn.Module):
    """Batch normalisation over all axes but the last.

    Differs from `nn.BatchNorm`: the running variance is Bessel-corrected, as PyTorch's
    is, so that ported and trained statistics mean the same.

    Attributes:
      momentum: share of the old running statistics that is kept at each update.
      epsilon: added to the variance.
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns x normalised by the batch (train) or by the running statistics."""
        shape = (x.shape[-1],)
        scale = self.param("scale", _scale_init, shape)
        bias = self.param("bias", nn.initializers.zeros, shape)
        mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
        var = self.variable("batch_stats", "var", jnp.ones, shape)
        if not train:
            return _normalise(x, mean.value, var.value, self.epsilon) * scale + bias
        axes = tuple(range(x.ndim - 1))
        batch_mean = x.mean(axes)
        batch_var = jnp.square(x - batch_mean).mean(axes)
        if not self.is_initializing():
            count = x.size // x.shape[-1]
            unbiased = batch_var * (count / max(count - 1, 1))
            mean.value = self._blend(mean.value, batch_mean)
            var.value = self._blend(var.value, unbiased)
        return _normalise(x, batch_mean, batch_var, self.epsilon) * scale + bias

    def _blend(self, old: jax.Array, new: jax.Array) -> jax.Array:
        """Running statistics after one more batch."""
        return self.momentum * old + (1 - self.momentum) * new


def _normalise(
    x: jax.Array, mean: jax.Array, var: jax.Array, epsilon: float
) -> jax.Array:
    """Zero mean, unit variance."""
    return (x - mean) * jax.lax.rsqrt(var + epsilon)


def reflect_pad(x: jax.Array, padding: int) -> jax.Array:
    """Returns x with `padding` mirrored pixels on each side of both image axes."""
    pad = (padding, padding)
    return jnp.pad(x, ((0, 0), pad, pad, (0, 0)), mode="reflect")


def _scale_init(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Scales near one, as pix2pix and its descendants start them: N(1, 0.02)."""
    return 1.0 + 0.02 * jax.random.normal(key, shape)
