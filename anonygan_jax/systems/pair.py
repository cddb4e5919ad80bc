"""Batches as the networks of the systems take them."""

import flax.struct
import jax
import jax.numpy as jnp

from anonygan_jax.systems import losses


@flax.struct.dataclass
class FacePair:
    """Pairs of condition and source; images are float32 [B, H, W, 3].

    Attributes:
      condition: images of the identity donors.
      source: images of the faces to hide.
      mask: float32 [B, H, W, 1], 1 where the face is replaced.
    """

    condition: jax.Array
    source: jax.Array
    mask: jax.Array

    def composite(self, output: jax.Array) -> jax.Array:
        """Returns the sources with an output inside their masks."""
        return self.mask * output + (1 - self.mask) * self.source


@flax.struct.dataclass
class Pair(FacePair):
    """AnonyGAN's pairs; images are in [-1, 1].

    Attributes:
      masked_source: sources with their faces set to 0.
      condition_points_xy, source_points_xy: float32 [B, K, 2], landmarks in pixels.
      is_supervised: bool [B], the source is the target of these pairs.
      warped_condition: sources with the condition's face warped into them, or None.
      supervised_share: float32 [B], each the share of supervised pairs in the batch of
        which these pairs are a part; None: they are the whole batch.
    """

    masked_source: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    is_supervised: jax.Array
    warped_condition: jax.Array | None = None
    supervised_share: jax.Array | None = None

    @property
    def supervised_weight(self) -> jax.Array:
        """Weights of losses of supervised pairs, float32 [B]."""
        return losses.share_weights(self.is_supervised, self._share())

    @property
    def other_weight(self) -> jax.Array:
        """Weights of losses of the other pairs, float32 [B]."""
        return losses.share_weights(~self.is_supervised, 1 - self._share())

    def _share(self) -> jax.Array:
        if self.supervised_share is None:
            return supervised_share(self.is_supervised)
        return self.supervised_share


def supervised_share(is_supervised: jax.Array) -> jax.Array:
    """Returns the share of supervised ones of pairs, bool [B], as float32 [B]."""
    return jnp.full(is_supervised.shape, is_supervised.mean(dtype=jnp.float32))
