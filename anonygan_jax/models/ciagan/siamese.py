"""CIAGAN's identity network: embeddings of one person are near each other.

Source and licence: see `generator`; a ResNet-18 for small images.
"""

import flax.linen as nn
from jaxtyping import Array, Float

from anonygan_jax.models.convolution import Conv
from anonygan_jax.models.layers import BatchNorm, dense

NUM_HIDDEN = 1024  # features before the last layer, in the paper's width
STAGES = 4


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut.

    Attributes:
      features: channels of the result.
      stride: of the first convolution.
    """

    features: int
    stride: int

    @nn.compact
    def __call__(
        self, x: Float[Array, "B H W C"], train: bool
    ) -> Float[Array, "B h w F"]:
        """Returns float [B, H / stride, W / stride, features]."""
        y = Conv(self.features, 3, self.stride, padding=1, name="conv1")(x)
        y = nn.relu(BatchNorm(name="norm1")(y, train))
        y = Conv(self.features, 3, padding=1, name="conv2")(y)
        y = BatchNorm(name="norm2")(y, train)
        if self.stride > 1:
            x = Conv(self.features, 1, self.stride, name="shortcut")(x)
            x = BatchNorm(name="shortcut_norm")(x, train)
        return nn.relu(x + y)


class Siamese(nn.Module):
    """Embeds images of faces.

    Attributes:
      num_features: of an embedding; as many as there are people, in the release.
      width: channels of the first stage.
    """

    num_features: int
    width: int = 64

    @nn.compact
    def __call__(
        self, image: Float[Array, "B H W 3"], train: bool
    ) -> Float[Array, "B F"]:
        """Returns embeddings, float32 [B, num_features].

        Args:
          image: float32 [B, H, W, 3] in 0..1.
          train: use batch statistics (then make "batch_stats" mutable).
        """
        x = Conv(self.width, 3, padding=1, name="conv")(image)
        x = nn.relu(BatchNorm(name="norm")(x, train))
        for stage in range(STAGES):
            for block in range(2):
                stride = 2 if stage and not block else 1
                name = f"stage{stage}_block{block}"
                x = BasicBlock(self.width * 2**stage, stride, name=name)(x, train)
        x = x.mean((1, 2))
        x = nn.relu(dense(NUM_HIDDEN * self.width // 64, "dense0")(x))
        return dense(self.num_features, "dense1")(x)
