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

from anonygan_jax.data.images import image_size
from anonygan_jax.models.layers import Conv, dense, float_type
from anonygan_jax.models.siamese import Siamese

EPSILON = 1e-5  # of InstanceNorm, as PyTorch's


@dataclasses.dataclass(frozen=True)
class CiaganConfig:
    """Fields of CIAGAN's networks.

    Attributes:
      num_identities: people that the generator can draw.
      width: channels of its first block; 32 in the paper.
      num_blocks: of its encoder, each halving the picture; 5 for 128 pixels.
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
        """Accepts pictures that the encoder can halve so often.

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


class SpectralConv(nn.Module):
    """Mirror-padded convolution, its kernel divided by its largest singular value.

    The vectors that find that value are in "batch_stats". No gradient goes through
    them, as in PyTorch.

    Attributes:
      features: channels of the result.
      kernel_size: side of the kernel.
    """

    features: int
    kernel_size: int = 3

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns float [B, H, W, features]."""
        pad = self.kernel_size // 2
        conv = Conv(
            self.features, self.kernel_size, padding=pad, reflect=pad > 0, use_bias=True
        )
        norm = nn.SpectralNorm(conv, param_dtype=float_type())
        return norm(x, update_stats=train)


class DownBlock(nn.Module):
    """Residual block that halves height and width."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns float [B, H / 2, W / 2, features]."""
        y = SpectralConv(self.features, name="conv1")(nn.relu(x), train)
        y = SpectralConv(self.features, name="conv2")(nn.relu(y), train)
        shortcut = SpectralConv(self.features, 1, name="shortcut")(x, train)
        return _halved(y) + _halved(shortcut)


class UpBlock(nn.Module):
    """Residual block that doubles height and width."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns float [B, 2H, 2W, features]."""
        y = _doubled(nn.relu(_norm("norm1")(x)))
        y = SpectralConv(self.features, name="conv1")(y, train)
        y = nn.relu(_norm("norm2")(y))
        y = SpectralConv(self.features, name="conv2")(y, train)
        return y + SpectralConv(self.features, 1, name="shortcut")(_doubled(x), train)


class ResidualBlock(nn.Module):
    """Residual block that keeps the shape."""

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Returns float [B, H, W, C]."""
        y = SpectralConv(x.shape[-1], name="conv1")(x, train)
        y = nn.relu(_norm("norm1")(y))
        y = SpectralConv(x.shape[-1], name="conv2")(y, train)
        return _norm("norm2")(y) + x


class CiaganGenerator(nn.Module):
    """Draws the face of a numbered person into a picture without one.

    Attributes: see `CiaganConfig`.
    """

    width: int = 32
    num_blocks: int = 5

    @nn.compact
    def __call__(self, given: jax.Array, identity: jax.Array, train: bool) -> jax.Array:
        """Returns the drawn picture, float32 [B, H, W, 3], meant for 0 to 1.

        Args:
          given: float32 [B, H, W, 6] in 0..1: the landmark drawing and the source
            without its face.
          identity: float32 [B, I], one-hot: who is drawn.
          train: update the vectors of the spectral norms (then make "batch_stats"
            mutable).
        """
        widths = [self.width * min(2**i, 8) for i in range(self.num_blocks)]
        x = given
        for i, width in enumerate(widths):
            x = _norm(f"down_norm{i}")(DownBlock(width, name=f"down{i}")(x, train))
        code = self._identity_code(identity, image_size(x), train)
        x = jnp.concatenate([x, code], -1)
        x = SpectralConv(widths[-1], name="merge")(x, train)
        x = _norm("merge_norm")(x)
        for i in range(4):
            x = ResidualBlock(name=f"residual{i}")(x, train)
        for i, width in enumerate([*reversed(widths[:-1]), self.width // 2]):
            x = _norm(f"up_norm{i}")(UpBlock(width, name=f"up{i}")(x, train))
        return Conv(3, 3, padding=1, use_bias=True, name="image")(x)

    def _identity_code(
        self, identity: jax.Array, size: tuple[int, int], train: bool
    ) -> jax.Array:
        """What is to be known of a person, [B, h, w, 8 * width]."""
        height, width = size
        hidden = [8 * self.width] * 4 + [self.width * height * width] * 3
        code = identity
        for i, features in enumerate(hidden):
            code = nn.leaky_relu(dense(features, f"identity{i}")(code), 0.2)
        code = code.reshape(-1, self.width, height, width)  # as PyTorch's view
        code = code.transpose(0, 2, 3, 1)
        for i in range(3):
            conv = SpectralConv(self.width * 2 ** (i + 1), name=f"code{i}")
            code = _norm(f"code_norm{i}")(nn.leaky_relu(conv(code, train), 0.2))
        return code


class Critic(nn.Module):
    """Is the picture real, given its landmarks?

    Attributes:
      width: see `CiaganConfig.critic_width`.
      num_blocks: halvings; 5 for 128 pixels.
    """

    width: int = 64
    num_blocks: int = 5

    @nn.compact
    def __call__(self, image: jax.Array, drawing: jax.Array, train: bool) -> jax.Array:
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


def _norm(name: str) -> nn.InstanceNorm:
    """Instance normalisation with scale and bias."""
    return nn.InstanceNorm(epsilon=EPSILON, param_dtype=float_type(), name=name)


def _halved(x: jax.Array) -> jax.Array:
    """Means of 2x2 pixels."""
    return nn.avg_pool(x, (2, 2), (2, 2))


def _doubled(x: jax.Array) -> jax.Array:
    """Each pixel four times."""
    return x.repeat(2, 1).repeat(2, 2)
