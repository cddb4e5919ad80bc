"""Blocks of CIAGAN's generator and critic; source and licence: see `generator`."""

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from anonygan_jax.models.convolution import Conv
from anonygan_jax.models.layers import param_dtype

EPSILON = 1e-5  # of InstanceNorm, as PyTorch's


class SpectralConv(nn.Module):
    """Mirror-padded convolution, its kernel divided by its largest singular value.

    The vectors of its power iteration are in "batch_stats". No gradient goes through
    them, as in PyTorch.

    Attributes:
      features: channels of the result.
      kernel_size: side of the kernel.
    """

    features: int
    kernel_size: int = 3

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], train: bool
    ) -> Float[Array, "B H W F"]:
        """Returns float [B, H, W, features]."""
        pad = self.kernel_size // 2
        conv = Conv(
            self.features, self.kernel_size, padding=pad, reflect=pad > 0, use_bias=True
        )
        norm = nn.SpectralNorm(conv, param_dtype=param_dtype())
        return norm(x, update_stats=train)


class DownBlock(nn.Module):
    """Residual block that halves height and width."""

    features: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], train: bool
    ) -> Float[Array, "B h w F"]:
        """Returns float [B, H / 2, W / 2, features]."""
        y = SpectralConv(self.features, name="conv1")(nn.relu(x), train)
        y = SpectralConv(self.features, name="conv2")(nn.relu(y), train)
        shortcut = SpectralConv(self.features, 1, name="shortcut")(x, train)
        return _halved(y) + _halved(shortcut)


class UpBlock(nn.Module):
    """Residual block that doubles height and width."""

    features: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], train: bool
    ) -> Float[Array, "B h w F"]:
        """Returns float [B, 2H, 2W, features]."""
        y = _doubled(nn.relu(instance_norm("norm1")(x)))
        y = SpectralConv(self.features, name="conv1")(y, train)
        y = nn.relu(instance_norm("norm2")(y))
        y = SpectralConv(self.features, name="conv2")(y, train)
        return y + SpectralConv(self.features, 1, name="shortcut")(_doubled(x), train)


class ResidualBlock(nn.Module):
    """Residual block that keeps the shape."""

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], train: bool
    ) -> Float[Array, "B H W C"]:
        """Returns float [B, H, W, C]."""
        y = SpectralConv(x.shape[-1], name="conv1")(x, train)
        y = nn.relu(instance_norm("norm1")(y))
        y = SpectralConv(x.shape[-1], name="conv2")(y, train)
        return instance_norm("norm2")(y) + x


def instance_norm(name: str) -> nn.InstanceNorm:
    """Returns instance normalisation with scale and bias."""
    return nn.InstanceNorm(epsilon=EPSILON, param_dtype=param_dtype(), name=name)


def _doubled(x: jax.Array) -> jax.Array:
    """Each pixel four times."""
    return x.repeat(2, 1).repeat(2, 2)


def _halved(x: jax.Array) -> jax.Array:
    """The mean of each 2x2 pixels."""
    return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
