"""MobileFaceNet, a small face recogniser.

Source: Chen et al., "MobileFaceNets", CCBR 2018, in the form of sirius-ai's
MobileFaceNet_TF. Differs: its BatchNorms are folded into the convolutions.
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.layers import HIGHEST, Depthwise, PReLU

IMAGE_SIZE = 112  # pixels, height and width
NUM_FEATURES = 192
# Channels after expansion, channels of the result, stride, number of blocks.
STAGES = (
    (128, 64, 2, 5),
    (256, 128, 2, 1),
    (256, 128, 1, 6),
    (512, 128, 2, 1),
    (256, 128, 1, 2),
)
# Layers before, in and after the blocks, in their order.
STEM = ("stem", "stem_prelu", "stem_depthwise", "stem_depthwise_prelu", "stem_project")
BLOCK = ("expand", "expand_prelu", "depthwise", "depthwise_prelu", "project")
END = ("last", "last_prelu", "pool", "dense", "features")


class MobileFaceNet(nn.Module):
    """The embedding of a face."""

    @nn.compact
    def __call__(self, images: Float[Array, "B 112 112 3"]) -> Float[Array, "B 192"]:
        """Returns embeddings, float32 [B, 192], of any length.

        Args:
          images: float32 [B, 112, 112, 3], (uint8 - 127.5) / 128.
        """
        x = PReLU(name="stem_prelu")(_conv(64, 3, 2, "stem")(images))
        x = Depthwise(3, 1, use_bias=True, name="stem_depthwise")(x)
        x = _conv(64, 1, 1, "stem_project")(PReLU(name="stem_depthwise_prelu")(x))
        for name, expanded, features, stride in blocks():
            block = Bottleneck(expanded, features, stride, name=name)
            x = x + block(x) if stride == 1 else block(x)
        x = PReLU(name="last_prelu")(_conv(512, 1, 1, "last")(x))
        x = WeightedSum(name="pool")(x)
        x = _conv(512, 1, 1, "dense")(x)
        return _conv(NUM_FEATURES, 1, 1, "features")(x)[:, 0, 0]


class Bottleneck(nn.Module):
    """Expansion, depthwise convolution, projection.

    Attributes:
      expanded: channels in between.
      features: channels of the result.
      stride: of the depthwise convolution.
    """

    expanded: int
    features: int
    stride: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h, w, features]."""
        x = PReLU(name="expand_prelu")(_conv(self.expanded, 1, 1, "expand")(x))
        x = Depthwise(3, self.stride, use_bias=True, name="depthwise")(x)
        x = PReLU(name="depthwise_prelu")(x)
        return _conv(self.features, 1, 1, "project")(x)


class WeightedSum(nn.Module):
    """Each channel's pixels, weighted and added: a depthwise convolution of all."""

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B 1 1 C"]:
        """Returns float32 [B, 1, 1, C]."""
        _, height, width, features = x.shape
        shape = (height, width, 1, features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (features,))
        return jnp.sum(x * kernel[:, :, 0], (1, 2), keepdims=True) + bias


def blocks() -> list[tuple[str, int, int, int]]:
    """Returns name, channels after expansion and of the result, stride of each block.

    Those of stride 1 are added to their input, whose shape they keep.
    """
    return [
        (f"stage{stage}_block{number}", expanded, features, stride if not number else 1)
        for stage, (expanded, features, stride, count) in enumerate(STAGES)
        for number in range(count)
    ]


def _conv(features: int, side: int, stride: int, name: str) -> nn.Conv:
    """A convolution, padded as TensorFlow's SAME."""
    return nn.Conv(
        features, (side, side), (stride, stride), precision=HIGHEST, name=name
    )
