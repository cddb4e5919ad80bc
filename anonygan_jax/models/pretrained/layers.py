"""Layers that several pretrained networks have; inference only.

Modules carry the names of the PyTorch originals, dots included, so that a variable's
path is its name in the official file (`weights.features`).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

HIGHEST = jax.lax.Precision.HIGHEST  # TPUs would round to bfloat16
Sides = tuple[int, int]  # height and width


class ConvNorm(nn.Module):
    """Convolution without bias, BatchNorm of running statistics, ReLU.

    Attributes:
      features: channels of the result.
      kernel_size: height and width.
      stride: in both directions.
      padding: rows and columns of zeros on each side.
    """

    features: int
    kernel_size: Sides = (1, 1)
    stride: int = 1
    padding: Sides = (0, 0)

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h, w, features]."""
        x = nn.Conv(
            self.features,
            self.kernel_size,
            (self.stride,) * 2,
            [(p, p) for p in self.padding],
            use_bias=False,
            precision=HIGHEST,
            name="conv",
        )(x)
        return nn.relu(norm(x, "bn"))


class Depthwise(nn.Module):
    """Convolves each channel by itself, as a sum of shifted copies.

    XLA's own grouped convolution takes ten times as long on CPUs. Padded as
    TensorFlow's SAME.

    Attributes:
      kernel_size: height and width.
      stride: in both directions.
      use_bias: whether a number is added to each channel.
    """

    kernel_size: int
    stride: int
    use_bias: bool = False

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h, w, C]."""
        size, stride, features = self.kernel_size, self.stride, x.shape[-1]
        shape = (size, size, 1, features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        height, width = (-(-n // stride) for n in x.shape[1:3])
        pads = [(n - 1) * stride + size for n in (height, width)]
        pads = [max(p - n, 0) for p, n in zip(pads, x.shape[1:3], strict=True)]
        around = [(p // 2, p - p // 2) for p in pads]
        x = jnp.pad(x, ((0, 0), *around, (0, 0)))
        rows, columns = (stride * (n - 1) + 1 for n in (height, width))
        shifted = (
            x[:, i : i + rows : stride, j : j + columns : stride] * kernel[i, j, 0]
            for i in range(size)
            for j in range(size)
        )
        start = jnp.zeros(())
        if self.use_bias:
            start = self.param("bias", nn.initializers.zeros, (features,))
        return sum(shifted, start=start)


class PReLU(nn.Module):
    """ReLU with a learned slope below 0 for each channel."""

    @nn.compact
    def __call__(self, x: Float[Array, "*B C"]) -> Float[Array, "*B C"]:
        """Returns an array of the same shape."""
        slope = self.param("scale", nn.initializers.constant(0.25), (x.shape[-1],))
        return jnp.where(x >= 0, x, slope * x)


def norm(x: Float[Array, "*B C"], name: str) -> Float[Array, "*B C"]:
    """Returns x normalised by the running statistics `name` of the calling module."""
    return nn.BatchNorm(use_running_average=True, epsilon=1e-3, name=name)(x)


def max_pool(x: Float[Array, "B H W C"]) -> Float[Array, "B h w C"]:
    """Returns the maxima of 3x3 windows, every second, without padding."""
    return nn.max_pool(x, (3, 3), (2, 2))


def normalised(embeddings: Float[Array, "*B C"]) -> Float[Array, "*B C"]:
    """Returns embeddings of length 1, whose Euclidean distances are compared."""
    return embeddings / jnp.linalg.norm(embeddings, axis=-1, keepdims=True)
