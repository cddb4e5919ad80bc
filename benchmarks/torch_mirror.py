"""AnonyGAN's networks in plain PyTorch, for comparisons with ours.

    pip install '.[peers]'

Written from the paper and from `anonygan_jax.models`, whose names the modules have.
Arrays are [B, C, H, W]. Heatmaps are dense, as in the release. `model` is the part of a
run's config of that name.
"""

import ml_collections
import torch
from torch import Tensor, nn
from torch.nn import functional as F

ATTENTION_LOGIT_BIAS = 2.0  # where there is a warped condition
BLOCKS_OF_DISCRIMINATOR = [(1, 2), (2, 2), (4, 2), (8, 2), (8, 1)]  # width, stride


def reflect_conv(
    channels: int, features: int, side: int, bias: bool = False
) -> nn.Conv2d:
    """Returns a convolution that keeps height and width, mirrored at the border."""
    pad = side // 2
    return nn.Conv2d(
        channels, features, side, padding=pad, padding_mode="reflect", bias=bias
    )


def half_conv(channels: int, features: int) -> nn.Conv2d:
    """Returns a convolution that halves height and width."""
    return nn.Conv2d(channels, features, 3, stride=2, padding=1, bias=False)


def up_conv(channels: int, features: int) -> nn.ConvTranspose2d:
    """Returns a convolution that doubles height and width."""
    return nn.ConvTranspose2d(
        channels, features, 3, stride=2, padding=1, output_padding=1, bias=False
    )


def to_float32(x: Tensor) -> Tensor:
    """Returns x in float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class LandmarkAttention(nn.Module):
    """Weighs the heatmaps."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, heatmaps: Tensor) -> Tensor:
        """Returns the heatmaps times their weights."""
        weights = self.conv(heatmaps.mean((2, 3))[:, None]).sigmoid()[:, 0]
        return heatmaps * weights[:, :, None, None]


class GraphConvolution(nn.Module):
    """Messages across the nodes, then across the states."""

    def __init__(self, num_nodes: int, num_states: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(0.02 * torch.randn(num_nodes, num_nodes))
        self.bias = nn.Parameter(torch.zeros(num_nodes))
        self.weight = nn.Parameter(0.02 * torch.randn(num_states, num_states))

    def forward(self, nodes: Tensor) -> Tensor:
        """Returns [B, N, S]."""
        messages = self.adjacency.T @ nodes + self.bias[:, None]
        return F.relu(nodes + messages) @ self.weight


class Graph(nn.Module):
    """Bipartite graph reasoning; the nodes of the two sides cross over."""

    def __init__(self, width: int, num_nodes: int) -> None:
        super().__init__()
        half = width // 2
        self.state = nn.Conv2d(half, half, 1)
        self.projection = nn.Conv2d(half, num_nodes, 1)
        self.extend = nn.Conv2d(half, half, 1, bias=False)
        self.norm = nn.BatchNorm2d(half, eps=1e-4)
        self.graph_condition = GraphConvolution(num_nodes, half)
        self.graph_source = GraphConvolution(num_nodes, half)

    def forward(self, q: Tensor) -> Tensor:
        """Returns q plus the messages of the other side."""
        condition, source = q.chunk(2, 1)
        to_condition, to_source = (
            self.projection(x).flatten(2) for x in (condition, source)
        )
        condition = self._side(condition, to_source, self.graph_condition)
        source = self._side(source, to_condition, self.graph_source)
        return torch.cat([condition, source], 1)

    def _side(self, half: Tensor, crossed: Tensor, graph: GraphConvolution) -> Tensor:
        nodes = graph(crossed @ self.state(half).flatten(2).mT)
        back = (nodes.mT @ crossed).view_as(half)
        return half + self.norm(self.extend(back))


class GraphBlock(nn.Module):
    """Pose features gate appearance features."""

    def __init__(self, width: int, shape: int, num_nodes: int, rate: float) -> None:
        super().__init__()
        self.appearance_conv1 = reflect_conv(width, width, 3)
        self.appearance_norm1 = nn.BatchNorm2d(width)
        self.appearance_conv2 = reflect_conv(width, width, 3)
        self.appearance_norm2 = nn.BatchNorm2d(width)
        self.shape_conv1 = reflect_conv(shape, shape, 3)
        self.shape_norm1 = nn.BatchNorm2d(shape)
        self.shape_conv2 = reflect_conv(shape, width, 3)
        self.graph = Graph(width, num_nodes)
        self.dropout = nn.Dropout(rate)

    def forward(self, appearance: Tensor, shape: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the two streams after the block."""
        a = F.relu(self.appearance_norm1(self.appearance_conv1(appearance)))
        a = self.appearance_norm2(self.appearance_conv2(self.dropout(a)))
        q = F.relu(self.shape_norm1(self.shape_conv1(shape)))
        q = self.graph(self.shape_conv2(self.dropout(q)))
        out = appearance + a * q.sigmoid()
        return out, torch.cat([q, out], 1)


class Generator(nn.Module):
    """The generator; see `anonygan_jax.models.generator`."""

    def __init__(self, model: ml_collections.ConfigDict) -> None:
        super().__init__()
        self.model, width = model, model.width
        if model.use_landmark_attention:
            self.landmark_attention = LandmarkAttention()
        num_images = 3 if model.uses_warped_condition else 2
        self._add_encoder("appearance_encoder", 3 * num_images)
        self._add_encoder("shape_encoder", 2 * model.num_landmarks)
        for i in range(model.num_blocks):
            widths = 4 * width, width * (8 if i else 4)
            block = GraphBlock(*widths, model.num_nodes, model.dropout_rate)
            self.add_module(f"block{i}", block)
        for i, channels in enumerate([(4 * width, 2 * width), (2 * width, width)]):
            self.add_module(f"decoder_up{i}", up_conv(*channels))
            self.add_module(f"decoder_norm{i}", nn.BatchNorm2d(channels[1]))
            self.add_module(f"attention_up{i}", up_conv(*channels))
        self.decoder_image = reflect_conv(width, 3, 7, bias=True)
        self.attention_mask = nn.Conv2d(width, 1, 1, bias=False)

    def _add_encoder(self, name: str, channels: int) -> None:
        width = self.model.width
        convs = [reflect_conv(channels, width, 7)]
        convs += [half_conv(width, 2 * width), half_conv(2 * width, 4 * width)]
        for i, conv in enumerate(convs):
            self.add_module(f"{name}_conv{i}", conv)
            self.add_module(f"{name}_norm{i}", nn.BatchNorm2d(conv.out_channels))

    def forward(self, images: list[Tensor], heatmaps: Tensor) -> Tensor:
        """Returns the new faces, [B, 3, H, W] in [-1, 1].

        Args:
          images: condition, masked source and, where the model has it, the warped
            condition.
          heatmaps: [B, 2K, H, W], the condition's, then the source's.
        """
        if self.model.use_landmark_attention:
            heatmaps = self.landmark_attention(heatmaps)
        appearance = self._encode("appearance_encoder", torch.cat(images, 1))
        shape = self._encode("shape_encoder", heatmaps)
        for i in range(self.model.num_blocks):
            appearance, shape = self.get_submodule(f"block{i}")(appearance, shape)
        drawn = attention = appearance
        for i in range(2):
            drawn = self.get_submodule(f"decoder_up{i}")(drawn)
            drawn = F.relu(self.get_submodule(f"decoder_norm{i}")(drawn))
            attention = self.get_submodule(f"attention_up{i}")(attention)
        logit = to_float32(self.attention_mask(attention))
        if self.model.uses_warped_condition:
            logit = logit - ATTENTION_LOGIT_BIAS
        share, background = logit.sigmoid(), images[-1]
        drawn = to_float32(self.decoder_image(drawn)).tanh()
        return (drawn * share + background * (1 - share)).clamp(-1, 1)

    def _encode(self, name: str, x: Tensor) -> Tensor:
        for i in range(3):
            x = self.get_submodule(f"{name}_conv{i}")(x)
            x = F.relu(self.get_submodule(f"{name}_norm{i}")(x))
        return x


class Discriminator(nn.Module):
    """A discriminator; see `anonygan_jax.models.discriminator`."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        for i, (factor, stride) in enumerate(BLOCKS_OF_DISCRIMINATOR):
            features = width * factor
            self.add_module(f"conv{i}", nn.Conv2d(channels, features, 4, stride, 1))
            if i:
                self.add_module(f"norm{i}", nn.BatchNorm2d(features))
            channels = features
        self.logits = nn.Conv2d(channels, 1, 4, 1, 1)

    def forward(self, image: Tensor, condition: Tensor) -> tuple[list[Tensor], Tensor]:
        """Returns the five feature maps, and the logits [B, 1, h, w]."""
        features, x = [], torch.cat([image, condition], 1)
        for i in range(len(BLOCKS_OF_DISCRIMINATOR)):
            x = self.get_submodule(f"conv{i}")(x)
            x = self.get_submodule(f"norm{i}")(x) if i else x
            x = F.leaky_relu(x, 0.2)
            features.append(to_float32(x))
        return features, to_float32(self.logits(x))
