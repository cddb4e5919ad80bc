"""Landmark attention: which heatmaps matter, learned (the ECA block)."""

import flax.linen as nn
import jax


class LandmarkAttention(nn.Module):
    """Scales each landmark channel by a weight computed from all channels' means.

    omega = sigmoid(Conv1D(GAP(concat(Lm_condition, Lm_source)))), kernel 3 across the
    channels, zero padding, no bias.

    Source: paper section 3.2; Wang et al., "ECA-Net", CVPR 2020.
    """

    @nn.compact
    def __call__(self, heatmaps: jax.Array) -> jax.Array:
        """Returns the heatmaps scaled, float32 [B, H, W, 2K]."""
        means = heatmaps.mean((1, 2))[..., None]  # [B, 2K, 1]
        conv = nn.Conv(1, (3,), padding=1, use_bias=False, name="conv")
        weights = nn.sigmoid(conv(means))[..., 0]
        return heatmaps * weights[:, None, None, :]
