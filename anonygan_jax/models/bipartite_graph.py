"""Bipartite graph reasoning between the condition's and the source's features."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anonygan_jax.models import layers
from anonygan_jax.models.convolution import KERNEL_INIT, LAX, Conv
from anonygan_jax.models.layers import BatchNorm, PrecisionPolicy


class GraphConvolution(nn.Module):
    """One graph convolution: messages across the nodes, then across the states."""

    @nn.compact
    def __call__(self, nodes: Float[Array, "B N S"]) -> Float[Array, "B N S"]:
        """Returns the nodes' states after the messages, float32 [B, N, S]."""
        num_nodes, num_states = nodes.shape[-2:]
        adjacency = self.param("adjacency", KERNEL_INIT, (num_nodes, num_nodes))
        bias = self.param("bias", nn.initializers.zeros, (num_nodes,))
        weight = self.param("weight", KERNEL_INIT, (num_states, num_states))
        messages = jnp.einsum("bns,nm->bms", nodes, adjacency) + bias[:, None]
        return jnp.einsum("bns,st->bnt", nn.relu(nodes + messages), weight)


class BipartiteGraphReasoning(nn.Module):
    """Reasons over the pose features of condition and source as a bipartite graph.

    The halves of the channels are the two sides. Node features cross over: each side's
    states are gathered by the *other* side's projection. Convolutions and BatchNorm
    are shared by the sides, condition first, so that the running statistics are
    updated twice in a training step. The projection is not normalised.

    Attributes:
      num_states: states of a node, S; the width of a half in the paper.
      num_nodes: nodes of a side, N.
      precision, convolution: see `PrecisionPolicy` and `convolve`.

    Source: paper section 3.1, equations 1-6.
    """

    num_states: int
    num_nodes: int
    precision: PrecisionPolicy = PrecisionPolicy()
    convolution: str = LAX

    @nn.compact
    def __call__(
        self, q: Float[Array, "B h w C"], train: bool
    ) -> Float[Array, "B h w C"]:
        """Returns q plus the messages of the other side, float [B, h, w, C].

        Args:
          q: float [B, h, w, C], the condition's channels, then the source's.
          train: use batch statistics (then make "batch_stats" mutable).
        """
        condition, source = jnp.split(q, 2, axis=-1)
        half = condition.shape[-1]
        fields = {"dtype": self.precision.dtype, "convolution": self.convolution}
        state = Conv(self.num_states, 1, use_bias=True, name="state", **fields)
        projection = Conv(self.num_nodes, 1, use_bias=True, name="projection", **fields)
        extend = Conv(half, 1, name="extend", **fields)
        norm = BatchNorm(epsilon=1e-4, name="norm")
        to_condition, to_source = (
            layers.promote_to_float32(projection(x)) for x in (condition, source)
        )

        def side(half_map: jax.Array, crossed: jax.Array, name: str) -> jax.Array:
            states = layers.promote_to_float32(state(half_map))
            nodes = jnp.einsum("bhwn,bhws->bns", crossed, states)
            nodes = GraphConvolution(name=name)(nodes)
            back = jnp.einsum("bhwn,bns->bhws", crossed, nodes)
            return half_map + norm(extend(back), train)

        condition = side(condition, to_source, "graph_condition")
        source = side(source, to_condition, "graph_source")
        return jnp.concatenate([condition, source], axis=-1)


class GraphBlock(nn.Module):
    """One of the generator's blocks: pose features gate appearance features.

    Attributes:
      num_nodes: nodes of a side of the graph.
      dropout_rate: share of features dropped between the two convolutions of a stream.
      precision, convolution: see `PrecisionPolicy` and `convolve`.
    """

    num_nodes: int
    dropout_rate: float
    precision: PrecisionPolicy = PrecisionPolicy()
    convolution: str = LAX

    @nn.compact
    def __call__(
        self,
        appearance: Float[Array, "B h w C"],
        shape: Float[Array, "B h w _"],
        train: bool,
    ) -> tuple[Float[Array, "B h w C"], Float[Array, "B h w 2*C"]]:
        """Returns the two streams after the block.

        Args:
          shape: float32 [B, h, w, C] in the first block, [B, h, w, 2C] after it.
          train: use batch statistics and dropout.
        """
        width = appearance.shape[-1]
        a = self._conv_block(appearance, width, "appearance", train)
        a = BatchNorm(name="appearance_norm2")(a, train)
        q = self._conv_block(shape, width, "shape", train)
        reason = BipartiteGraphReasoning(
            width // 2, self.num_nodes, self.precision, self.convolution, name="graph"
        )
        q = reason(q, train)
        out = appearance + a * nn.sigmoid(q)
        return out, jnp.concatenate([q, out], axis=-1)

    def _conv(self, features: int, name: str) -> Conv:
        fields = {"dtype": self.precision.dtype, "convolution": self.convolution}
        return Conv(features, 3, padding=1, reflect=True, name=name, **fields)

    def _conv_block(
        self, x: jax.Array, width: int, name: str, train: bool
    ) -> jax.Array:
        """conv, BatchNorm, ReLU, dropout, conv; the first keeps the input's width."""
        x = self._conv(x.shape[-1], f"{name}_conv1")(x)
        x = nn.relu(BatchNorm(name=f"{name}_norm1")(x, train))
        x = layers.Dropout(self.dropout_rate)(x, train)
        return self._conv(width, f"{name}_conv2")(x)
