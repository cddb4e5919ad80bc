"""The stage before CIAGAN's: the identity network alone, on pairs of photos."""

import jax
import jax.numpy as jnp

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.systems import losses
from anonygan_jax.systems.ciagan import SIAMESE, Ciagan, train
from anonygan_jax.systems.system import Gradients
from anonygan_jax.systems.train_state import TrainState


class IdentityPretraining(Ciagan):
    """CIAGAN whose generator and critic rest; see `System`.

    Source: the contrastive loss of its release; two photos of one person are drawn
    near to each other, those of two are kept a margin apart.
    """

    def gradients(
        self, state: TrainState, batch: PairBatch, _rng: jax.Array
    ) -> Gradients:
        """Returns the identity network's; see `System`."""
        portrait, margin = self.prepare(batch), self.config.margin
        photos = jnp.concatenate([portrait.source, portrait.condition])

        def loss(params):
            stats = state.batch_stats[SIAMESE]
            embeddings, stats = train(self.siamese, params, stats, photos)
            one, other = jnp.split(embeddings, 2)
            return losses.contrastive(one, other, batch.is_supervised, margin), stats

        (value, stats), grads = jax.value_and_grad(loss, has_aux=True)(
            state.params[SIAMESE]
        )
        return {SIAMESE: grads}, {SIAMESE: stats}, {SIAMESE: value}
