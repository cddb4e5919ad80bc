"""PatchGAN discriminators: is the face real, given its condition or its pose?"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from anonygan_jax.models.heatmaps import Heatmaps
from anonygan_jax.models.layers import (
    BatchNorm,
    Conv,
    PrecisionPolicy,
    promote_to_float32,
)
from anonygan_jax.models.space_to_depth import SpaceToDepthConv

MIN_SIDE = 48  # pixels; four halvings leave 3, the two last convolutions 1


class PatchDiscriminator(nn.Module):
    """Judges overlapping patches of an image with what it should agree with.

    Attributes:
      width: channels of the first convolution; 64 in the paper (7 million parameters).
      numerics: how it computes.

    Source: paper section 3.3; Isola et al., "pix2pix", CVPR 2017.
    """

    width: int = 64
    numerics: PrecisionPolicy = PrecisionPolicy()

    @nn.compact
    def __call__(
        self, image: jax.Array, partner: jax.Array | Heatmaps | None, train: bool
    ) -> tuple[list[jax.Array], jax.Array]:
        """Returns the five feature maps and the logits, float32 [B, h, w, 1].

        Args:
          image: float32 [B, H, W, 3], real or generated.
          partner: what it should agree with: the condition image, float32
            [B, H, W, 3], or the source's heatmaps; None where it judges the image
            alone.
          train: use batch statistics (then make "batch_stats" mutable).

        Raises:
          ValueError: a side of the image is under 48 pixels and leaves no patch.
        """
        if min(image.shape[1:3]) < MIN_SIDE:
            raise ValueError(
                f"images of {image.shape[1]}x{image.shape[2]} pixels leave no patch to "
                f"judge; at least {MIN_SIDE}x{MIN_SIDE} are needed"
            )
        x, heatmaps = image, None
        if isinstance(partner, Heatmaps):
            heatmaps = partner
        elif partner is not None:
            x = jnp.concatenate([image, partner], axis=-1)
        features = []
        for i, (factor, stride) in enumerate([(1, 2), (2, 2), (4, 2), (8, 2), (8, 1)]):
            kind = SpaceToDepthConv if i == 0 else Conv
            conv = self._conv(kind, self.width * factor, stride, f"conv{i}")
            x = conv(x, heatmaps) if i == 0 else conv(x)
            if i > 0:
                x = BatchNorm(name=f"norm{i}")(x, train)
            x = nn.leaky_relu(x, 0.2)
            features.append(x)
        logits = self._conv(Conv, 1, 1, "logits")(x)
        return [
            promote_to_float32(feature) for feature in features
        ], promote_to_float32(logits)

    def _conv(self, kind: type[Conv], features: int, stride: int, name: str) -> Any:
        """A 4x4 convolution with bias."""
        return kind(
            features,
            4,
            stride=stride,
            padding=1,
            use_bias=True,
            dtype=self.numerics.dtype,
            name=name,
        )
