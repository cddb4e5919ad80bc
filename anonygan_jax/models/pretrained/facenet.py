"""InceptionResnetV1, the recogniser that the field calls FaceNet.

Source: Szegedy et al. 2016, Schroff et al. 2015, in the form of facenet-pytorch, whose
weights (CASIA-WebFace: 10,575 classes, VGGFace2: 8,631) are not in this package.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.layers import (
    HIGHEST,
    ConvNorm,
    Sides,
    max_pool,
    norm,
    normalised,
)

IMAGE_SIZE = 160  # pixels, height and width
NUM_FEATURES = 512
Shapes = tuple[tuple[int, Sides], ...]  # of a branch's convolutions: features, kernel


class FaceNet(nn.Module):
    """The embedding and the classes of a face.

    Attributes:
      num_classes: people of the training set.
    """

    num_classes: int

    @nn.compact
    def __call__(
        self, images: Float[Array, "B 160 160 3"]
    ) -> tuple[Float[Array, "B 512"], Float[Array, "B N"]]:
        """Returns embeddings and class logits.

        Args:
          images: float32 [B, 160, 160, 3], (pixel - 127.5) / 128.

        Returns:
          float32 [B, 512] of unit length, and float32 [B, num_classes].
        """
        x = ConvNorm(32, (3, 3), 2, name="conv2d_1a")(images)
        x = ConvNorm(32, (3, 3), name="conv2d_2a")(x)
        x = ConvNorm(64, (3, 3), padding=(1, 1), name="conv2d_2b")(x)
        x = ConvNorm(80, name="conv2d_3b")(max_pool(x))
        x = ConvNorm(192, (3, 3), name="conv2d_4a")(x)
        x = ConvNorm(256, (3, 3), 2, name="conv2d_4b")(x)
        for i in range(5):
            x = _residual_35(f"repeat_1.{i}")(x)
        x = Reduction(((384,), (192, 192, 256)), name="mixed_6a")(x)
        for i in range(10):
            x = _residual_17(f"repeat_2.{i}")(x)
        x = Reduction(((256, 384), (256, 256), (256, 256, 256)), name="mixed_7a")(x)
        for i in range(5):
            x = nn.relu(_residual_8(f"repeat_3.{i}", 0.2)(x))
        x = _residual_8("block8", 1.0)(x).mean((1, 2))
        x = nn.Dense(
            NUM_FEATURES, use_bias=False, precision=HIGHEST, name="last_linear"
        )(x)
        x = norm(x, "last_bn")
        logits = nn.Dense(self.num_classes, precision=HIGHEST, name="logits")(x)
        return normalised(x), logits


class Residual(nn.Module):
    """Branches of convolutions, added to their input.

    Attributes:
      branches: of each, the features and kernels of its convolutions.
      scale: factor of what is added.
    """

    branches: tuple[Shapes, ...]
    scale: float

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h, w, C] before the activation."""
        ends = []
        for number, shapes in enumerate(self.branches):
            y = x
            for place, (features, kernel) in enumerate(shapes):
                name = f"branch{number}" + (f".{place}" if len(shapes) > 1 else "")
                padding = (kernel[0] // 2, kernel[1] // 2)
                y = ConvNorm(features, kernel, padding=padding, name=name)(y)
            ends.append(y)
        added = nn.Conv(x.shape[-1], (1, 1), precision=HIGHEST, name="conv2d")(
            jnp.concatenate(ends, -1)
        )
        return x + self.scale * added


class Reduction(nn.Module):
    """Half the height and width, by branches and a maximum.

    Attributes:
      branches: of each, the features of its convolutions; the first of several is 1x1,
        the last takes every second pixel.
    """

    branches: tuple[tuple[int, ...], ...]

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h // 2, w // 2, C]."""
        ends = []
        for number, widths in enumerate(self.branches):
            y, several = x, len(widths) > 1
            for place, features in enumerate(widths):
                name = f"branch{number}" + (f".{place}" if several else "")
                if place == len(widths) - 1:
                    y = ConvNorm(features, (3, 3), 2, name=name)(y)
                elif place == 0:
                    y = ConvNorm(features, name=name)(y)
                else:
                    y = ConvNorm(features, (3, 3), padding=(1, 1), name=name)(y)
            ends.append(y)
        return jnp.concatenate([*ends, max_pool(x)], -1)


def _residual_35(name: str):
    """A block at 17x17 (35x35 in the original's larger images)."""
    one, three = (32, (1, 1)), (32, (3, 3))
    block = Residual(((one,), (one, three), (one, three, three)), 0.17, name=name)
    return lambda x: nn.relu(block(x))


def _residual_17(name: str):
    """A block at 8x8."""
    one, row, column = ((128, kernel) for kernel in ((1, 1), (1, 7), (7, 1)))
    block = Residual(((one,), (one, row, column)), 0.1, name=name)
    return lambda x: nn.relu(block(x))


def _residual_8(name: str, scale: float) -> Residual:
    """A block at 3x3."""
    one, row, column = ((192, kernel) for kernel in ((1, 1), (1, 3), (3, 1)))
    return Residual(((one,), (one, row, column)), scale, name=name)
