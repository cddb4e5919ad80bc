"""Inception-v3 as FID uses it: the network of TensorFlow's 2015-12-05 release.

Source: Szegedy et al. 2015; the graph that Heusel et al. 2017 measured with, whose
poolings differ from torchvision's: averages leave padding out, and the last block takes
a maximum. Weights are not in this package.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.layers import ConvNorm, max_pool

IMAGE_SIZE = 299  # pixels, height and width
NUM_FEATURES = 2048
NUM_CLASSES = 1008


class Inception(nn.Module):
    """Features of the last pooling layer."""

    @nn.compact
    def __call__(self, images: Float[Array, "B 299 299 3"]) -> Float[Array, "B 2048"]:
        """Returns float32 [B, 2048].

        Args:
          images: float32 [B, 299, 299, 3] in [-1, 1].
        """
        x = ConvNorm(32, (3, 3), 2, name="Conv2d_1a_3x3")(images)
        x = ConvNorm(32, (3, 3), name="Conv2d_2a_3x3")(x)
        x = ConvNorm(64, (3, 3), padding=(1, 1), name="Conv2d_2b_3x3")(x)
        x = ConvNorm(80, name="Conv2d_3b_1x1")(max_pool(x))
        x = ConvNorm(192, (3, 3), name="Conv2d_4a_3x3")(x)
        x = max_pool(x)
        for letter, pooled in zip("bcd", (32, 64, 64), strict=True):
            x = BlockA(pooled, name=f"Mixed_5{letter}")(x)
        x = BlockB(name="Mixed_6a")(x)
        for letter, width in zip("bcde", (128, 160, 160, 192), strict=True):
            x = BlockC(width, name=f"Mixed_6{letter}")(x)
        x = BlockD(name="Mixed_7a")(x)
        x = BlockE(name="Mixed_7b")(x)
        x = BlockE(pool_by_maximum=True, name="Mixed_7c")(x)
        if self.is_initializing():  # the file has the classes, FID does not use them
            nn.Dense(NUM_CLASSES, name="fc")(x.mean((1, 2)))
        return x.mean((1, 2))


class BlockA(nn.Module):
    """1x1, 5x5, twice 3x3 and a pooled branch at 35x35."""

    pooled: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        five = ConvNorm(48, name="branch5x5_1")(x)
        three = ConvNorm(64, name="branch3x3dbl_1")(x)
        three = ConvNorm(96, (3, 3), padding=(1, 1), name="branch3x3dbl_2")(three)
        branches = [
            ConvNorm(64, name="branch1x1")(x),
            ConvNorm(64, (5, 5), padding=(2, 2), name="branch5x5_2")(five),
            ConvNorm(96, (3, 3), padding=(1, 1), name="branch3x3dbl_3")(three),
            ConvNorm(self.pooled, name="branch_pool")(_average(x)),
        ]
        return jnp.concatenate(branches, -1)


class BlockB(nn.Module):
    """From 35x35 to 17x17."""

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        twice = ConvNorm(64, name="branch3x3dbl_1")(x)
        twice = ConvNorm(96, (3, 3), padding=(1, 1), name="branch3x3dbl_2")(twice)
        branches = [
            ConvNorm(384, (3, 3), 2, name="branch3x3")(x),
            ConvNorm(96, (3, 3), 2, name="branch3x3dbl_3")(twice),
            max_pool(x),
        ]
        return jnp.concatenate(branches, -1)


class BlockC(nn.Module):
    """7x7 convolutions as rows and columns, at 17x17."""

    width: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        once = ConvNorm(self.width, name="branch7x7_1")(x)
        once = _row(self.width, "branch7x7_2")(once)
        twice = ConvNorm(self.width, name="branch7x7dbl_1")(x)
        twice = _column(self.width, "branch7x7dbl_2")(twice)
        twice = _row(self.width, "branch7x7dbl_3")(twice)
        twice = _column(self.width, "branch7x7dbl_4")(twice)
        branches = [
            ConvNorm(192, name="branch1x1")(x),
            _column(192, "branch7x7_3")(once),
            _row(192, "branch7x7dbl_5")(twice),
            ConvNorm(192, name="branch_pool")(_average(x)),
        ]
        return jnp.concatenate(branches, -1)


class BlockD(nn.Module):
    """From 17x17 to 8x8."""

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        three = ConvNorm(192, name="branch3x3_1")(x)
        seven = ConvNorm(192, name="branch7x7x3_1")(x)
        seven = _row(192, "branch7x7x3_2")(seven)
        seven = _column(192, "branch7x7x3_3")(seven)
        branches = [
            ConvNorm(320, (3, 3), 2, name="branch3x3_2")(three),
            ConvNorm(192, (3, 3), 2, name="branch7x7x3_4")(seven),
            max_pool(x),
        ]
        return jnp.concatenate(branches, -1)


class BlockE(nn.Module):
    """3x3 convolutions split in rows and columns side by side, at 8x8."""

    pool_by_maximum: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        once = ConvNorm(384, name="branch3x3_1")(x)
        twice = ConvNorm(448, name="branch3x3dbl_1")(x)
        twice = ConvNorm(384, (3, 3), padding=(1, 1), name="branch3x3dbl_2")(twice)
        pad = ((1, 1), (1, 1))
        pooled = (
            nn.max_pool(x, (3, 3), padding=pad) if self.pool_by_maximum else _average(x)
        )
        branches = [
            ConvNorm(320, name="branch1x1")(x),
            ConvNorm(384, (1, 3), padding=(0, 1), name="branch3x3_2a")(once),
            ConvNorm(384, (3, 1), padding=(1, 0), name="branch3x3_2b")(once),
            ConvNorm(384, (1, 3), padding=(0, 1), name="branch3x3dbl_3a")(twice),
            ConvNorm(384, (3, 1), padding=(1, 0), name="branch3x3dbl_3b")(twice),
            ConvNorm(192, name="branch_pool")(pooled),
        ]
        return jnp.concatenate(branches, -1)


def _row(features: int, name: str) -> ConvNorm:
    """A 1x7 convolution."""
    return ConvNorm(features, (1, 7), padding=(0, 3), name=name)


def _column(features: int, name: str) -> ConvNorm:
    """A 7x1 convolution."""
    return ConvNorm(features, (7, 1), padding=(3, 0), name=name)


def _average(x: jax.Array) -> jax.Array:
    """Means of 3x3 windows, without the padding."""
    pad = ((1, 1), (1, 1))
    return nn.avg_pool(x, (3, 3), padding=pad, count_include_pad=False)
