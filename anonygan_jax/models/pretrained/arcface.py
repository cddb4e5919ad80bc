"""IResNet, the recogniser of ArcFace.

Source: Deng et al., "ArcFace", CVPR 2019, in the form of InsightFace's PyTorch training
code, whose weights (r18 to r200) are not in this package.
"""

import flax.linen as nn
import jax
from jaxtyping import Array, Float

from anonygan_jax.models.pretrained.layers import HIGHEST, PReLU

IMAGE_SIZE = 112  # pixels, height and width
NUM_FEATURES = 512
WIDTHS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """The embedding of a face.

    Attributes:
      num_blocks: of each of the four stages; (3, 4, 14, 3) is r50.
    """

    num_blocks: tuple[int, ...] = (3, 4, 14, 3)

    @nn.compact
    def __call__(self, images: Float[Array, "B 112 112 3"]) -> Float[Array, "B 512"]:
        """Returns embeddings, float32 [B, 512], of any length.

        Args:
          images: float32 [B, 112, 112, 3] in [-1, 1].
        """
        x = _conv(images, 64, 3, 1, "conv1")
        x = PReLU(name="prelu")(_norm(x, "bn1"))
        for stage, (width, count) in enumerate(
            zip(WIDTHS, self.num_blocks, strict=True), 1
        ):
            for number in range(count):
                stride = 2 if number == 0 else 1
                x = Block(width, stride, name=f"layer{stage}.{number}")(x)
        x = _norm(x, "bn2").transpose(0, 3, 1, 2)  # flattened channels first
        x = x.reshape(len(x), -1)
        x = nn.Dense(NUM_FEATURES, precision=HIGHEST, name="fc")(x)
        return _norm(x, "features")


class Block(nn.Module):
    """Two convolutions and a shortcut.

    Attributes:
      features: channels of the result.
      stride: of the second convolution; with 2 the shortcut is a convolution, too.
    """

    features: int
    stride: int

    @nn.compact
    def __call__(self, x: Float[Array, "B H W C"]) -> Float[Array, "B h w F"]:
        """Returns float32 [B, h, w, features]."""
        y = _conv(_norm(x, "bn1"), self.features, 3, 1, "conv1")
        y = PReLU(name="prelu")(_norm(y, "bn2"))
        y = _norm(_conv(y, self.features, 3, self.stride, "conv2"), "bn3")
        if self.stride > 1:
            x = _conv(x, self.features, 1, self.stride, "downsample.0")
            x = _norm(x, "downsample.1")
        return x + y


def _conv(x: jax.Array, features: int, side: int, stride: int, name: str) -> jax.Array:
    """A convolution without bias, padded to keep the size."""
    return nn.Conv(
        features,
        (side, side),
        (stride, stride),
        [(side // 2, side // 2)] * 2,
        use_bias=False,
        precision=HIGHEST,
        name=name,
    )(x)


def _norm(x: jax.Array, name: str) -> jax.Array:
    """Normalised by running statistics."""
    return nn.BatchNorm(use_running_average=True, epsilon=1e-5, name=name)(x)
