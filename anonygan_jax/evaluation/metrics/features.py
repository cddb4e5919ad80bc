"""Features of a set of pictures: all in its statistics, some kept."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.frechet import (
    Coupling,
    FeatureStatistics,
    NotEnoughError,
    kernel_distance,
    precision_recall,
)

MAX_KEPT = 5_000  # features of a set: 40 MB of Inception's
SEED = 0


class Features:
    """Statistics of any number of features, and a uniform sample of them.

    Attributes:
      statistics: of all; None before the first.
    """

    def __init__(self) -> None:
        self.statistics: FeatureStatistics | None = None
        self._kept: list[np.ndarray] = []
        self._rng = np.random.default_rng(SEED)

    @property
    def count(self) -> int:
        """Pictures seen."""
        return self.statistics.count if self.statistics else 0

    @property
    def kept(self) -> np.ndarray:
        """float32 [N, D], at most MAX_KEPT of them."""
        return np.stack(self._kept)

    def update(self, features: np.ndarray) -> None:
        """Adds float [B, D] features; the sample is Vitter's reservoir."""
        if self.statistics is None:
            self.statistics = FeatureStatistics(features.shape[1])
        for place, feature in enumerate(features, self.count):
            if place < MAX_KEPT:
                self._kept.append(feature)
            elif (slot := int(self._rng.integers(place + 1))) < MAX_KEPT:
                self._kept[slot] = feature
        self.statistics.update(features)


def distance(real: Features, made: Features) -> Estimate:
    """Returns the Frechet distance of two sets.

    The error is estimated on the kept features; see `Coupling.error`.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    if real.statistics is None or made.statistics is None:
        raise NotEnoughError("0 pictures, at least 2 are needed")
    coupling = Coupling(real.statistics, made.statistics)
    error = coupling.error(real.kept, made.kept)
    return estimates.around(coupling.distance, error, made.count)


def kernel(real: Features, made: Features) -> Estimate:
    """Returns the kernel distance (KID) of the kept features.

    Sets of at most 1,000 are measured whole, without an interval.
    """
    value, error = kernel_distance(real.kept, made.kept, SEED)
    error = error or float("nan")
    return estimates.around(value, error, len(made.kept))


def precision_and_recall(real: Features, made: Features) -> tuple[Estimate, Estimate]:
    """Returns precision and recall of the kept features, with binomial intervals."""
    precision, recall = precision_recall(real.kept, made.kept)
    return (
        estimates.share(_hits(precision, len(made.kept))),
        estimates.share(_hits(recall, len(real.kept))),
    )


def _hits(part: float, count: int) -> np.ndarray:
    """So many true values of a count."""
    return np.arange(count) < round(part * count)
