"""PatchGAN discriminators: is the face real, given its condition or its pose?"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.convolution import LAX, Conv
from anonygan_jax.models.heatmap_conv import HeatmapConv
from anonygan_jax.models.heatmaps import Heatmaps
from anonygan_jax.models.layers import BatchNorm, PrecisionPolicy, promote_to_float32
from anonygan_jax.models.space_to_depth import SpaceToDepthConv

MIN_IMAGE_SIDE = 48  # pixels; four halvings leave 3, the two last convolutions 1


class PatchDiscriminator(nn.Module):
    """Classifies overlapping patches of an image as real or generated.

    Attributes:
      width: channels of the first convolution; 64 in the paper (7 million parameters).
      precision, convolution: see `PrecisionPolicy` and `convolve`.
      use_space_to_depth: see `models.space_to_depth`.

    Source: paper section 3.3; Isola et al., "pix2pix", CVPR 2017.
    """

    width: int = 64
    precision: PrecisionPolicy = PrecisionPolicy()
    convolution: str = LAX
    use_space_to_depth: bool = False

    @nn.compact
    def __call__(
        self,
        image: Float[Array, "B H W 3"],
        condition: Float[Array, "B H W _"] | Heatmaps | None,
        train: bool,
    ) -> tuple[list[Float[Array, "B _ _ _"]], Float[Array, "B h w 1"]]:
        """Returns the five feature maps and the logits.

        Args:
          image: float32 [B, H, W, 3] in [-1, 1], real or generated.
          condition: the image must agree with it: the condition image, float32
            [B, H, W, 3], or the source's heatmaps. None for the image alone.
          train: use batch statistics (then make "batch_stats" mutable).

        Returns:
          Five float32 [B, h, w, C], and float32 [B, h, w, 1].

        Raises:
          ValueError: a side of the image is under 48 pixels and leaves no patch.
        """
        if min(image.shape[1:3]) < MIN_IMAGE_SIDE:
            raise ValueError(
                f"images of {image.shape[1]}x{image.shape[2]} pixels leave no patch to "
                f"classify; at least {MIN_IMAGE_SIDE}x{MIN_IMAGE_SIDE} are needed"
            )
        x, heatmaps = image, None
        if isinstance(condition, Heatmaps):
            heatmaps = condition
        elif condition is not None:
            x = jnp.concatenate([image, condition], axis=-1)
        first = SpaceToDepthConv if self.use_space_to_depth else HeatmapConv
        x = self._conv(first, self.width, 2, "conv0")(x, heatmaps)
        features = [nn.leaky_relu(x, 0.2)]
        for i, (factor, stride) in enumerate([(2, 2), (4, 2), (8, 2), (8, 1)], 1):
            x = self._conv(Conv, self.width * factor, stride, f"conv{i}")(features[-1])
            features.append(nn.leaky_relu(BatchNorm(name=f"norm{i}")(x, train), 0.2))
        logits = self._conv(Conv, 1, 1, "logits")(features[-1])
        return [promote_to_float32(x) for x in features], promote_to_float32(logits)

    def _conv(self, kind: type[Conv], features: int, stride: int, name: str) -> Any:
        """A 4x4 convolution with bias."""
        return kind(
            features,
            4,
            stride=stride,
            padding=1,
            use_bias=True,
            dtype=self.precision.dtype,
            convolution=self.convolution,
            name=name,
        )
