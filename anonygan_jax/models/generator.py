"""The AnonyGAN generator: condition and masked source in, anonymised face out."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.bipartite_graph import GraphBlock
from anonygan_jax.models.convolution import LAX, Conv, UpConv, depth_to_space
from anonygan_jax.models.heatmap_conv import HeatmapConv
from anonygan_jax.models.heatmaps import Heatmaps, landmark_heatmaps
from anonygan_jax.models.images import image_size
from anonygan_jax.models.landmark_attention import LandmarkAttention
from anonygan_jax.models.layers import BatchNorm, PrecisionPolicy, promote_to_float32
from anonygan_jax.models.space_to_depth import SpaceToDepthConv

OFF_IMAGE = -1e4  # a coordinate outside every image
# Subtracted from the attention's logit where there is a warped condition: training
# begins with that face and an eighth of the drawn one, not with equal parts.
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
      uses_warped_condition: take one more image, the source with the condition's face
        warped into it, and blend the drawn face with it instead of with the masked
        source.
      landmark_dropout: share of the landmarks that are left out in training.
      precision, convolution: see `PrecisionPolicy` and `convolve`.
      use_space_to_depth: compute full resolution on blocks of 2x2 pixels, for TPUs;
        see `models.space_to_depth`.
      use_masked_source: take the masked source; without it the drawn face is blended
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
    precision: PrecisionPolicy = PrecisionPolicy()
    convolution: str = LAX
    use_space_to_depth: bool = False
    use_masked_source: bool = True

    @nn.compact
    def __call__(
        self,
        condition: Float[Array, "B H W _"],
        masked_source: Float[Array, "_ _ _ _"],
        condition_points_xy: Float[Array, "_ _ _"],
        source_points_xy: Float[Array, "_ _ _"],
        warped_condition: Float[Array, "B H W 3"] | None = None,
        train: bool = False,
    ) -> Float[Array, "B H W 3"]:
        """Returns the anonymised face, float32 [B, H, W, 3] in [-1, 1].

        Args:
          condition: float32 [B, H, W, 3] in [-1, 1], the identity donor; H and W are
            multiples of 4.
          masked_source: float32 [B, H, W, 3] in [-1, 1], the source with its face set
            to 0.
          condition_points_xy: float32 [B, K, 2], the condition's landmarks in pixels.
          source_points_xy: float32 [B, K, 2], the source's landmarks in pixels.
          warped_condition: float32 [B, H, W, 3] in [-1, 1], the source with the
            condition's face warped into it; only with `uses_warped_condition`.
          train: use batch statistics and dropout (then give a "dropout" rng and make
            "batch_stats" mutable).

        Raises:
          ValueError: shapes do not fit each other or the fields.
        """
        self._check(condition, masked_source, condition_points_xy, source_points_xy)
        if (warped_condition is not None) != self.uses_warped_condition:
            raise ValueError(
                "a warped condition must be given just when uses_warped_condition is "
                "set"
            )
        points = condition_points_xy, source_points_xy
        heatmaps = self._heatmaps(points, image_size(condition), train)
        images = [condition] + ([masked_source] if self.use_masked_source else [])
        images += [] if warped_condition is None else [warped_condition]
        appearance = self._encoder(
            jnp.concatenate(images, axis=-1), None, "appearance_encoder", train
        )
        shape = self._encoder(None, heatmaps, "shape_encoder", train)
        for i in range(self.num_blocks):
            block = GraphBlock(
                self.num_nodes,
                self.dropout_rate,
                self.precision,
                self.convolution,
                name=f"block{i}",
            )
            appearance, shape = block(appearance, shape, train)
        drawn, logit = self._decode(appearance, train)
        background = images[-1]  # the input nearest to the wanted image
        attention = nn.sigmoid(
            logit if warped_condition is None else logit - ATTENTION_LOGIT_BIAS
        )
        return jnp.clip(drawn * attention + background * (1 - attention), -1, 1)

    def _heatmaps(
        self, faces: tuple[jax.Array, jax.Array], size: tuple[int, int], train: bool
    ) -> Heatmaps:
        """The heatmaps of both faces' landmarks, weighed."""
        if train and self.landmark_dropout:
            faces = self._drop_landmarks(faces[0]), self._drop_landmarks(faces[1])
        condition, source = (
            landmark_heatmaps(points, size, self.heatmap_grid) for points in faces
        )
        heatmaps = condition.concatenate(source)
        if not self.use_landmark_attention:
            return heatmaps
        return LandmarkAttention(name="landmark_attention")(heatmaps)

    def _drop_landmarks(self, points_xy: jax.Array) -> jax.Array:
        """The points, some moved outside the image, where their heatmaps are empty."""
        kept = jax.random.bernoulli(
            self.make_rng("dropout"), 1 - self.landmark_dropout, points_xy.shape[:2]
        )
        return jnp.where(kept[..., None], points_xy, OFF_IMAGE)

    def _encoder(
        self, image: jax.Array | None, heatmaps: Heatmaps | None, name: str, train: bool
    ) -> jax.Array:
        """One stream's features at a quarter of the resolution."""
        conv = self._pixel_conv(
            self.width, 7, f"{name}_conv0", padding=3, reflect=True, takes_blocks=False
        )
        norm = self._pixel_norm(f"{name}_norm0")
        x = nn.relu(norm(conv(image, heatmaps), train))
        fields: dict[str, Any] = {"stride": 2, "padding": 1}
        x = self._pixel_conv(self.width * 2, 3, f"{name}_conv1", **fields)(x)
        x = nn.relu(BatchNorm(name=f"{name}_norm1")(x, train))
        fields |= self._fields()
        x = Conv(self.width * 4, 3, name=f"{name}_conv2", **fields)(x)
        return nn.relu(BatchNorm(name=f"{name}_norm2")(x, train))

    def _decode(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """The drawn face in [-1, 1] and the logit of its share in the result."""
        drawn, attention = x, x
        norms = BatchNorm(name="decoder_norm0"), self._pixel_norm("decoder_norm1")
        for i, norm in enumerate(norms):
            features, fields = self.width * (2 - i), self._fields()
            fields["use_space_to_depth"] = self.use_space_to_depth and i == 1
            drawn = UpConv(features, name=f"decoder_up{i}", **fields)(drawn)
            drawn = nn.relu(norm(drawn, train))
            attention = UpConv(features, name=f"attention_up{i}", **fields)(attention)
        image = self._pixel_conv(
            3, 7, "decoder_image", padding=3, reflect=True, use_bias=True
        )(drawn)
        logit = self._pixel_conv(1, 1, "attention_mask")(attention)
        image, logit = promote_to_float32(image), promote_to_float32(logit)
        if self.use_space_to_depth:
            image, logit = depth_to_space(image), depth_to_space(logit)
        return jnp.tanh(image), logit

    def _fields(self) -> dict[str, Any]:
        """Fields of all convolutions."""
        return {"dtype": self.precision.dtype, "convolution": self.convolution}

    def _pixel_conv(
        self,
        features: int,
        side: int,
        name: str,
        takes_blocks: bool = True,
        **fields: Any,
    ) -> HeatmapConv:
        """A convolution of full resolution."""
        fields |= self._fields()
        if self.use_space_to_depth:
            return SpaceToDepthConv(
                features, side, takes_blocks=takes_blocks, name=name, **fields
            )
        return HeatmapConv(features, side, name=name, **fields)

    def _pixel_norm(self, name: str) -> BatchNorm:
        """Normalisation of features of full resolution."""
        return BatchNorm(num_pixels=4 if self.use_space_to_depth else 1, name=name)

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
