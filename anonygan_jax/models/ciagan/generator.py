"""CIAGAN's generator and critic.

Source: Maximov, Elezi, Leal-Taixe, "CIAGAN: Conditional identity anonymization
generative adversarial networks", CVPR 2020; their release (MIT licence) decided what
the paper leaves open. No code of it is here.

Dimension letters: B batch, H W image, C channels, I identities.
"""

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anonygan_jax.models.ciagan.blocks import (
    DownBlock,
    ResidualBlock,
    SpectralConv,
    UpBlock,
    instance_norm,
)
from anonygan_jax.models.ciagan.siamese import Siamese
from anonygan_jax.models.convolution import Conv
from anonygan_jax.models.images import image_size
from anonygan_jax.models.landmark_drawing import landmark_drawing
from anonygan_jax.models.layers import dense


@dataclasses.dataclass(frozen=True)
class CiaganConfig:
    """Fields of CIAGAN's networks.

    Attributes:
      num_identities: people that the generator can draw.
      width: channels of its first block; 32 in the paper.
      num_blocks: of its encoder, each halving the image; 5 for 128 pixels.
      critic_width: channels of the critic's first block; 64 in the paper.
      siamese_width: of the identity network's first stage; 64 in the paper.
    """

    num_identities: int
    width: int = 32
    num_blocks: int = 5
    critic_width: int = 64
    siamese_width: int = 64

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"model.{field.name} is under 1")

    def check_size(self, size: tuple[int, int]) -> None:
        """Checks that the encoder can halve an image `num_blocks` times.

        Raises:
          ValueError: a side is no multiple of 2 ** num_blocks.
        """
        if any(side % 2**self.num_blocks for side in size):
            raise ValueError(
                f"data.image_size is {size[0]}x{size[1]}, wanted multiples of "
                f"{2**self.num_blocks}, as model.num_blocks is {self.num_blocks}"
            )

    def generator(self) -> "CiaganGenerator":
        """Returns the generator."""
        return CiaganGenerator(self.width, self.num_blocks)

    def siamese(self) -> Siamese:
        """Returns the identity network."""
        return Siamese(self.num_identities, self.siamese_width)

    def critic(self) -> "Critic":
        """Returns the critic."""
        return Critic(self.critic_width, self.num_blocks)


def generator_input(
    source: Float[Array | np.ndarray, "B H W 3"],
    mask: Float[Array | np.ndarray, "B H W 1"],
    points_xy: Float[Array | np.ndarray, "B 68 2"],
) -> Float[Array, "B H W 6"]:
    """Returns float32 [B, H, W, 6] in 0..1: landmark drawing, source without its face.

    Args:
      source: float32 [B, H, W, 3] in 0..1.
      mask: float32 [B, H, W, 1], 1 where the face is.
    """
    drawing = landmark_drawing(points_xy, image_size(source))
    return jnp.concatenate([drawing, source * (1 - mask)], -1)


class CiaganGenerator(nn.Module):
    """Draws the face of a numbered person into an image without one.

    Attributes: see `CiaganConfig`.
    """

    width: int = 32
    num_blocks: int = 5

    @nn.compact
    def __call__(
        self, given: Float[Array, "B H W 6"], identity: Float[Array, "B I"], train: bool
    ) -> Float[Array, "B H W 3"]:
        """Returns the drawn image, float32 [B, H, W, 3], about 0 to 1; not clipped.

        Args:
          given: float32 [B, H, W, 6] in 0..1: the landmark drawing and the source
            without its face.
          identity: float32 [B, I], one-hot: the person that is drawn.
          train: update the vectors of the spectral norms (then make "batch_stats"
            mutable).
        """
        widths = [self.width * min(2**i, 8) for i in range(self.num_blocks)]
        x = given
        for i, width in enumerate(widths):
            x = instance_norm(f"down_norm{i}")(
                DownBlock(width, name=f"down{i}")(x, train)
            )
        code = self._identity_code(identity, image_size(x), train)
        x = jnp.concatenate([x, code], -1)
        x = SpectralConv(widths[-1], name="merge")(x, train)
        x = instance_norm("merge_norm")(x)
        for i in range(4):
            x = ResidualBlock(name=f"residual{i}")(x, train)
        for i, width in enumerate([*reversed(widths[:-1]), self.width // 2]):
            x = instance_norm(f"up_norm{i}")(UpBlock(width, name=f"up{i}")(x, train))
        return Conv(3, 3, padding=1, use_bias=True, name="image")(x)

    def _identity_code(
        self, identity: jax.Array, size: tuple[int, int], train: bool
    ) -> jax.Array:
        """The code of a person, [B, h, w, 8 * width]."""
        height, width = size
        hidden = [8 * self.width] * 4 + [self.width * height * width] * 3
        code = identity
        for i, features in enumerate(hidden):
            code = nn.leaky_relu(dense(features, f"identity{i}")(code), 0.2)
        code = code.reshape(-1, self.width, height, width)  # as PyTorch's view
        code = code.transpose(0, 2, 3, 1)
        for i in range(3):
            conv = SpectralConv(self.width * 2 ** (i + 1), name=f"code{i}")
            code = instance_norm(f"code_norm{i}")(nn.leaky_relu(conv(code, train), 0.2))
        return code


class Critic(nn.Module):
    """Classifies an image as real or generated, given its landmarks.

    Attributes: see `CiaganConfig`; `width` is its `critic_width`.
    """

    width: int = 64
    num_blocks: int = 5

    @nn.compact
    def __call__(
        self,
        image: Float[Array, "B H W 3"],
        drawing: Float[Array, "B H W 3"],
        train: bool,
    ) -> Float[Array, "B 1"]:
        """Returns logits, float32 [B, 1].

        Args:
          image: float32 [B, H, W, 3] in 0..1.
          drawing: float32 [B, H, W, 3], the landmark drawing.
          train: update the vectors of the spectral norms.
        """
        x = jnp.concatenate([image, drawing], -1)
        for i in range(self.num_blocks):
            x = DownBlock(self.width * min(2**i, 8), name=f"down{i}")(x, train)
        x = x.transpose(0, 3, 1, 2).reshape(len(x), -1)  # in PyTorch's order
        x = nn.leaky_relu(dense(16 * self.width, "dense0")(x), 0.2)
        return nn.leaky_relu(dense(1, "dense1")(x), 0.2)
