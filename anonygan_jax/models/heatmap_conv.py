"""Convolution of an image and heatmaps, the first layer of several networks."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models.convolution import MATMUL, Conv
from anonygan_jax.models.heatmaps import (
    Heatmaps,
    convolve_heatmaps,
    scatter_onehot_kernels,
)


class HeatmapConv(Conv):
    """Convolution of the channels of an image and of heatmaps, which follow them."""

    @nn.compact
    def __call__(  # type: ignore[override]
        self, x: Float[Array, "B H W C"] | None, heatmaps: Heatmaps | None = None
    ) -> Float[Array, "B h w F"]:
        """Returns float [B, h, w, features].

        Args:
          x: float [B, H, W, C], or None where there are heatmaps alone.
          heatmaps: K heatmaps of H x W pixels, convolved as outer products.
        """
        num_dense = 0 if x is None else self._num_channels(x)
        num_heatmaps = 0 if heatmaps is None else heatmaps.rows.shape[1]
        kernel = self._kernel(num_dense + num_heatmaps)
        out = jnp.zeros(())
        if x is not None:
            out = self._convolve(x, kernel[:, :, :num_dense])
        if heatmaps is not None:
            rest = kernel[:, :, num_dense:]
            if self.dtype is not None:
                heatmaps, rest = jax.tree.map(
                    lambda a: a.astype(self.dtype), (heatmaps, rest)
                )
            out += self._convolve_heatmaps(heatmaps, rest)
        return self._add_bias(out)

    @property
    def pad_mode(self) -> str:
        """The padding as `jnp.pad` names it."""
        return "reflect" if self.reflect else "constant"

    def _num_channels(self, x: jax.Array) -> int:
        """Channels of a pixel."""
        return x.shape[-1]

    def _convolve_heatmaps(self, heatmaps: Heatmaps, kernel: jax.Array) -> jax.Array:
        """The part of the heatmaps; scattering is quick on CPUs alone."""
        use_scatter = heatmaps.is_one_hot and self.convolution != MATMUL
        function = scatter_onehot_kernels if use_scatter else convolve_heatmaps
        return function(heatmaps, kernel, self.stride, self.padding, self.pad_mode)
