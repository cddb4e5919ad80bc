"""What Inception-v3 and InceptionResnetV1 are made of; inference only.

Modules carry the names of the PyTorch originals, dots included, so that a variable's
path is its name in the official file (`porting.torch_features`).
"""

import flax.linen as nn
import jax

HIGHEST = jax.lax.Precision.HIGHEST  # TPUs would round to bfloat16
Pair = tuple[int, int]


class ConvNorm(nn.Module):
    """Convolution without bias, BatchNorm of running statistics, ReLU.

    Attributes:
      features: channels of the result.
      kernel_size: height and width.
      stride: in both directions.
      padding: rows and columns of zeros on each side.
    """

    features: int
    kernel_size: Pair = (1, 1)
    stride: int = 1
    padding: Pair = (0, 0)

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
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


def norm(x: jax.Array, name: str) -> jax.Array:
    """Returns x normalised by the running statistics `name` of the calling module."""
    return nn.BatchNorm(use_running_average=True, epsilon=1e-3, name=name)(x)


def max_pool(x: jax.Array) -> jax.Array:
    """Returns the maxima of 3x3 windows, every second, without padding."""
    return nn.max_pool(x, (3, 3), (2, 2))
