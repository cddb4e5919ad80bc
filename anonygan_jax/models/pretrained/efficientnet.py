"""EfficientNet-Lite0: a small ImageNet network whose weights a package carries.

Source: Tan and Le 2019, without squeeze-and-excite and with ReLU6. Its features replace
the Inception of FID where its weights are missing; their distance is not an FID.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.layers import HIGHEST, Depthwise, norm

IMAGE_SIZE = 224  # pixels, height and width
NUM_FEATURES = 1280
NUM_CLASSES = 1000
# Of each stage: blocks, kernel, stride of the first block, expansion, features.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class EfficientNet(nn.Module):
    """Pooled features and ImageNet's classes."""

    @nn.compact
    def __call__(
        self, images: Float[Array, "B 224 224 3"]
    ) -> tuple[Float[Array, "B 1280"], Float[Array, "B 1000"]]:
        """Returns float32 [B, 1280] features and [B, 1000] logits.

        Args:
          images: float32 [B, 224, 224, 3], (pixel - 127) / 128.
        """
        x = nn.relu6(norm(_conv(32, 3, 2, "_conv_stem")(images), "_bn0"))
        number = 0
        for repeats, kernel, stride, expansion, features in _STAGES:
            for repeat in range(repeats):
                x = Block(
                    features,
                    kernel,
                    stride if repeat == 0 else 1,
                    expansion,
                    name=f"_blocks.{number}",
                )(x)
                number += 1
        x = nn.relu6(norm(_conv(NUM_FEATURES, 1, 1, "_conv_head")(x), "_bn1"))
        pooled = x.mean((1, 2))
        return pooled, nn.Dense(NUM_CLASSES, precision=HIGHEST, name="_fc")(pooled)


class Block(nn.Module):
    """Expand, convolve each channel, project; added to the input where shapes allow."""

    features: int
    kernel_size: int
    stride: int
    expansion: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        y, width = x, x.shape[-1] * self.expansion
        if self.expansion > 1:
            y = nn.relu6(norm(_conv(width, 1, 1, "_expand_conv")(y), "_bn0"))
        y = Depthwise(self.kernel_size, self.stride, name="_depthwise_conv")(y)
        y = nn.relu6(norm(y, "_bn1"))
        y = norm(_conv(self.features, 1, 1, "_project_conv")(y), "_bn2")
        return x + y if self.stride == 1 and x.shape == y.shape else y


def _conv(features: int, kernel: int, stride: int, name: str) -> nn.Conv:
    """A convolution without bias, padded as TensorFlow's SAME."""
    return nn.Conv(
        features,
        (kernel, kernel),
        (stride, stride),
        "SAME",
        use_bias=False,
        precision=HIGHEST,
        name=name,
    )
