"""Layers of Inception-v3 and InceptionResnetV1; inference only.

Modules carry the names of the PyTorch originals, dots included, so that a variable's
path is its name in the official file (`weights.features`).
"""

import flax.linen as nn
import jax
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


def norm(x: Float[Array, "*B C"], name: str) -> Float[Array, "*B C"]:
    """Returns x normalised by the running statistics `name` of the calling module."""
    return nn.BatchNorm(use_running_average=True, epsilon=1e-3, name=name)(x)


def max_pool(x: Float[Array, "B H W C"]) -> Float[Array, "B h w C"]:
    """Returns the maxima of 3x3 windows, every second, without padding."""
    return nn.max_pool(x, (3, 3), (2, 2))
