"""One training step of AnonyGAN in plain PyTorch: losses, gradients, Adam.

As `anonygan_jax.systems.anonygan`: the generator runs once, each discriminator once on
real and once on generated images, and all updates are from the old weights. Left out:
our average of the generator's weights, and the check for numbers that are not finite.
"""

import dataclasses
from collections.abc import Callable

import ml_collections
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.torch_mirror import Discriminator, Generator

APPEARANCE, POSE = "appearance", "pose"
FEATURE_LAYER_WEIGHT = 4 / 5
COARSE_CELL = 8  # pixels a side

Outputs = dict[str, tuple[list[Tensor], Tensor]]  # of the discriminators


@dataclasses.dataclass(frozen=True)
class TorchBatch:
    """Inputs of a step, float [B, C, H, W].

    Attributes:
      images: condition, masked source and, where the model has it, the warped
        condition.
      heatmaps: of both faces, the condition's first, dense.
      source: the photos whose faces are hidden.
      mask: [B, 1, H, W], 1 where the face is replaced.
      is_supervised: [B], 1 where the source is the target.
    """

    images: list[Tensor]
    heatmaps: Tensor
    source: Tensor
    mask: Tensor
    is_supervised: Tensor

    def map(self, change: Callable[[Tensor], Tensor]) -> "TorchBatch":
        """Returns the batch with each array changed."""
        images = [change(image) for image in self.images]
        others = self.heatmaps, self.source, self.mask, self.is_supervised
        return TorchBatch(images, *map(change, others))


class TorchStep:
    """Networks, optimisers and their joint update.

    Attributes:
      generator: a network.
      discriminators: networks by name.
    """

    def __init__(self, config: ml_collections.ConfigDict, device: str) -> None:
        """Makes the networks of a run's config, in training mode."""
        model, self._losses = config.model, config.losses
        self._dtype, self._device = getattr(torch, model.compute_dtype), device
        self.generator = Generator(model).to(device)
        channels = {APPEARANCE: 6, POSE: 3 + model.num_landmarks}
        self.discriminators = nn.ModuleDict(
            {
                n: Discriminator(c, model.discriminator_width)
                for n, c in channels.items()
            }
        ).to(device)
        rates, betas = (
            config.optimiser,
            (config.optimiser.beta1, config.optimiser.beta2),
        )
        self._optimisers = [
            torch.optim.Adam(network.parameters(), rate, betas, fused=True)
            for network, rate in (
                (self.generator, rates.generator_learning_rate),
                (self.discriminators, rates.discriminator_learning_rate),
            )
        ]

    def generate(self, batch: TorchBatch) -> Tensor:
        """Returns the generator's output, computed in the config's type."""
        with self._autocast():
            return self.generator(batch.images, batch.heatmaps)

    def judge(self, batch: TorchBatch, images: Tensor) -> Outputs:
        """Returns the discriminators' outputs for images of a batch's pairs."""
        conditions = {APPEARANCE: batch.images[0], POSE: batch.heatmaps.chunk(2, 1)[1]}
        with self._autocast():
            return {
                name: network(images, conditions[name])
                for name, network in self.discriminators.items()
            }

    def __call__(self, batch: TorchBatch) -> dict[str, Tensor]:
        """Updates all networks; returns the loss terms."""
        terms = self.gradients(batch)
        for optimiser in self._optimisers:
            optimiser.step()
            optimiser.zero_grad()
        return terms

    def gradients(self, batch: TorchBatch) -> dict[str, Tensor]:
        """Returns the loss terms; the parameters keep their gradients."""
        output = self.generate(batch)
        real, fake = self.judge(batch, batch.source), self.judge(batch, output)
        terms = {
            f"{n}_discriminator": discriminator_loss(real[n][1], fake[n][1])
            for n in fake
        }
        total = torch.stack(list(terms.values())).sum()
        total.backward(retain_graph=True, inputs=list(self.discriminators.parameters()))
        values = self._generator_terms(batch, output, real, fake)
        weighted = [self._losses[name] * value for name, value in values.items()]
        total = torch.stack(weighted).sum()
        total.backward(inputs=list(self.generator.parameters()))
        terms |= values | {"generator": total}
        return {name: term.detach() for name, term in terms.items()}

    def _generator_terms(
        self, batch: TorchBatch, output: Tensor, real: Outputs, fake: Outputs
    ) -> dict[str, Tensor]:
        """The generator's terms that have a weight."""
        losses, supervised = self._losses, batch.is_supervised
        terms = {name: cross_entropy(fake[name][1], 1) for name in fake}
        different = losses.context_matching_different_identity
        weight = supervised + (1 - supervised) * different
        features = zip(fake[APPEARANCE][0], real[APPEARANCE][0], strict=True)
        distances = [weighted_l1(one, x.detach(), weight) for one, x in features]
        terms["context_matching"] = FEATURE_LAYER_WEIGHT * torch.stack(distances).sum()
        shown, source = batch.mask * output, batch.mask * batch.source
        terms["reconstruction"] = weighted_l1(shown, source, shares(supervised))
        if losses.low_frequency_l1:
            one, other = (
                F.avg_pool2d(x, COARSE_CELL) for x in (output, batch.images[-1])
            )
            weight = shares(1 - supervised)
            terms["low_frequency_l1"] = weighted_l1(one, other, weight)
        return terms

    def _autocast(self) -> torch.autocast:
        enabled = self._dtype == torch.bfloat16
        return torch.autocast(self._device, torch.bfloat16, enabled=enabled)


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Returns the mean of the cross-entropies of real and of generated images."""
    return (cross_entropy(real, 1) + cross_entropy(fake, 0)) / 2


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """Returns the mean binary cross-entropy with one label."""
    labels = torch.full_like(logits, label)
    return F.binary_cross_entropy_with_logits(logits, labels)


def weighted_l1(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """Returns the mean over samples of their mean absolute difference times a weight.

    Args:
      weight: float [B].
    """
    return ((one - other).abs().flatten(1).mean(1) * weight).mean()


def shares(chosen: Tensor) -> Tensor:
    """Returns weights [B] for a mean over the samples that are 1, not 0."""
    return chosen / chosen.mean().clamp(min=1e-9)
