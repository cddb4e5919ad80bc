"""The AnonyGAN generator: condition and masked source in, anonymised face out."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from anonygan_jax.models.bipartite_graph import GraphBlock
from anonygan_jax.models.heatmaps import Heatmaps, landmark_heatmaps
from anonygan_jax.models.landmark_attention import LandmarkAttention
from anonygan_jax.models.layers import (
    BatchNorm,
    Conv,
    PrecisionPolicy,
    UpConv,
    promote_to_float32,
)
from anonygan_jax.models.space_to_depth import SpaceToDepthConv, depth_to_space

OFF_IMAGE = -1e4  # a coordinate that no picture has
# Taken from the attention's logit where there is a warped prior: training begins with
# that face, an eighth of it drawn, instead of with a mixture of equal parts.
ATTENTION_LOGIT_BIAS = 2.0


class Generator(nn.Module):
    """Draws the condition's face in the source's pose and surroundings.

    28.39 million parameters with the default fields, those of the paper.

    Attributes:
      num_landmarks: points of each face, 68 or 29.
      use_landmark_attention: weigh the landmark channels (the paper's LA).
      width: channels of the first convolution; the graph blocks have four times more.
      num_blocks: graph blocks.
      num_nodes: nodes of a side of the bipartite graph.
      dropout_rate: inside the graph blocks.
      heatmap_grid: see `landmark_heatmaps`; (218, 178) in the release.
      uses_warped_condition: take one more image, the condition's face already warped
        into the source, and blend the drawn face with it instead of with the masked source.
      landmark_dropout: share of the landmarks that training hides from the network.
      numerics: how it computes.
      use_masked_source: show the masked source; without it the drawn face is blended
        with the condition, as the release's 3-channel input.

    Source: paper section 3, figure 2; layer by layer the official release. Differs:
    uses_warped_condition and landmark_dropout are ours, for training on few photos.
    """

    num_landmarks: int = 68
    use_landmark_attention: bool = True
    width: int = 64
    num_blocks: int = 6
    num_nodes: int = 64
    dropout_rate: float = 0.5
    heatmap_grid: tuple[int, int] | None = None
    uses_warped_condition: bool = False
    landmark_dropout: float = 0.0
    numerics: PrecisionPolicy = PrecisionPolicy()
    use_masked_source: bool = True

    @nn.compact
    def __call__(
        self,
        condition: jax.Array,
        masked_source: jax.Array,
        condition_points_xy: jax.Array,
        source_points_xy: jax.Array,
        warped_condition: jax.Array | None = None,
        train: bool = False,
    ) -> jax.Array:
        """Returns the anonymised face, float32 [B, H, W, 3] in [-1, 1].

        Args:
          condition: float32 [B, H, W, 3] in [-1, 1], who is put there; H and W are
            multiples of 4.
          context: float32 [B, H, W, 3], the source with its face set to 0.
          condition_points_xy: float32 [B, K, 2], its landmarks in pixels.
          source_points_xy: float32 [B, K, 2], the landmarks to follow.
          prior: float32 [B, H, W, 3], the source with the condition's face warped into
            it; only with `uses_warped_condition`.
          train: use batch statistics and dropout (then give a "dropout" rng and make
            "batch_stats" mutable).

        Raises:
          ValueError: shapes do not fit each other or the fields.
        """
        self._check(condition, masked_source, condition_points_xy, source_points_xy)
        if (warped_condition is not None) != self.uses_warped_condition:
            raise ValueError(
                "a warped condition must be given just when uses_warped_condition is set"
            )
        if train and self.landmark_dropout:
            condition_points_xy = self._hide(condition_points_xy)
            source_points_xy = self._hide(source_points_xy)
        size = (condition.shape[1], condition.shape[2])
        heatmaps = landmark_heatmaps(condition_points_xy, size, self.heatmap_grid)
        heatmaps = heatmaps.concatenate(
            landmark_heatmaps(source_points_xy, size, self.heatmap_grid)
        )
        if self.use_landmark_attention:
            heatmaps = LandmarkAttention(name="landmark_attention")(heatmaps)
        images = [condition] + ([masked_source] if self.use_masked_source else [])
        images += [] if warped_condition is None else [warped_condition]
        appearance = self._encoder(
            jnp.concatenate(images, axis=-1), None, "appearance_encoder", train
        )
        shape = self._encoder(None, heatmaps, "shape_encoder", train)
        for i in range(self.num_blocks):
            block = GraphBlock(
                self.num_nodes, self.dropout_rate, self.numerics, name=f"block{i}"
            )
            appearance, shape = block(appearance, shape, train)
        drawn, logit = self._decode(appearance, train)
        background = images[-1]  # what is given nearest to the wanted picture
        attention = nn.sigmoid(
            logit if warped_condition is None else logit - ATTENTION_LOGIT_BIAS
        )
        return jnp.clip(drawn * attention + background * (1 - attention), -1, 1)

    def _hide(self, points_xy: jax.Array) -> jax.Array:
        """The points, some far outside the picture, where they leave no trace."""
        kept = jax.random.bernoulli(
            self.make_rng("dropout"), 1 - self.landmark_dropout, points_xy.shape[:2]
        )
        return jnp.where(kept[..., None], points_xy, OFF_IMAGE)

    def _encoder(
        self, x: jax.Array | None, heatmaps: Heatmaps | None, name: str, train: bool
    ) -> jax.Array:
        """One stream's features at a quarter of the resolution."""
        first = self._packed(self.width, 7, f"{name}_conv0", padding=3, reflect=True)
        x = nn.relu(self._norm(f"{name}_norm0", 4)(first(x, heatmaps), train))
        wider = self.width * 2
        half = self._packed(wider, 3, f"{name}_conv1", stride=2, padding=1)
        x = nn.relu(self._norm(f"{name}_norm1")(half(packed=x), train))
        fields = {"stride": 2, "padding": 1, "dtype": self.numerics.dtype}
        x = Conv(self.width * 4, 3, name=f"{name}_conv2", **fields)(x)
        return nn.relu(self._norm(f"{name}_norm2")(x, train))

    def _packed(
        self, features: int, side: int, name: str, **fields: Any
    ) -> SpaceToDepthConv:
        dtype = self.numerics.dtype
        return SpaceToDepthConv(features, side, dtype=dtype, name=name, **fields)

    def _norm(self, name: str, num_packed: int = 1) -> BatchNorm:
        return BatchNorm(num_packed=num_packed, name=name)

    def _decode(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """The drawn face in [-1, 1] and the logit of how much of it counts."""
        drawn, attention = x, x
        for i, features in enumerate((self.width * 2, self.width)):
            fields = {"dtype": self.numerics.dtype, "packed": i == 1}
            norm = self._norm(f"decoder_norm{i}", 4 if i == 1 else 1)
            drawn = UpConv(features, name=f"decoder_up{i}", **fields)(drawn)
            drawn = nn.relu(norm(drawn, train))
            attention = UpConv(features, name=f"attention_up{i}", **fields)(attention)
        fields = {"padding": 3, "reflect": True, "use_bias": True}
        image = self._packed(3, 7, "decoder_image", **fields)(packed=drawn)
        logit = self._packed(1, 1, "attention_mask")(packed=attention)
        return jnp.tanh(depth_to_space(promote_to_float32(image))), depth_to_space(
            promote_to_float32(logit)
        )

    def _check(
        self, condition, masked_source, condition_points_xy, source_points_xy
    ) -> None:
        """Rejects inputs of other shapes."""
        batch, height, width = condition.shape[:3]
        if masked_source.shape != condition.shape or condition.shape[3:] != (3,):
            raise ValueError(
                f"condition {condition.shape} and masked source "
                f"{masked_source.shape} must both be [B, H, W, 3]"
            )
        if height % 4 or width % 4:
            raise ValueError(
                f"height and width {height}x{width} must be multiples of 4"
            )
        wanted = (batch, self.num_landmarks, 2)
        for points in (condition_points_xy, source_points_xy):
            if points.shape != wanted:
                raise ValueError(f"points have shape {points.shape}, wanted {wanted}")
