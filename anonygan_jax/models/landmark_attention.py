"""Landmark attention: learned weights of the heatmaps (the ECA block)."""

import flax.linen as nn

from anonygan_jax.models.heatmaps import Heatmaps
from anonygan_jax.models.layers import param_dtype


class LandmarkAttention(nn.Module):
    """Scales each landmark channel by a weight computed from all channels' means.

    omega = sigmoid(Conv1D(GAP(concat(Lm_condition, Lm_source)))), kernel 3 across the
    channels, zero padding, no bias.

    Source: paper section 3.2; Wang et al., "ECA-Net", CVPR 2020.
    """

    @nn.compact
    def __call__(self, heatmaps: Heatmaps) -> Heatmaps:
        """Returns the heatmaps times their weights.

        Args:
          heatmaps: 2K, the condition's and then the source's.
        """
        options = {"use_bias": False, "param_dtype": param_dtype()}
        conv = nn.Conv(1, (3,), padding=1, name="conv", **options)
        weights = nn.sigmoid(conv(heatmaps.means()[..., None]))
        return heatmaps.scale(weights[..., 0])
