"""Features of a set of pictures: statistics of all, and a sample that is kept."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.frechet import (
    Coupling,
    FeatureStatistics,
    NotEnoughError,
    kid_and_error,
    precision_recall,
)

MAX_KEPT = 5_000  # pictures of a set; 40 MB of Inception's features
SEED = 0


class Features:
    """Statistics of any number of features, and a uniform sample of them.

    Attributes:
      statistics: of all; None before the first.
    """

    def __init__(self) -> None:
        """Starts with no picture."""
        self.statistics: FeatureStatistics | None = None
        self._kept: list[np.ndarray] = []
        self._rng = np.random.default_rng(SEED)

    @property
    def count(self) -> int:
        """Number of pictures."""
        return self.statistics.count if self.statistics else 0

    @property
    def kept(self) -> np.ndarray:
        """The sample, float32 [N, D], of at most MAX_KEPT pictures."""
        return np.stack(self._kept)

    def update(self, features: np.ndarray) -> None:
        """Adds float [B, D] features. Source of the sample: Vitter's reservoir."""
        if self.statistics is None:
            self.statistics = FeatureStatistics(features.shape[1])
        for place, feature in enumerate(features, self.count):
            if place < MAX_KEPT:
                self._kept.append(feature)
            elif (slot := int(self._rng.integers(place + 1))) < MAX_KEPT:
                self._kept[slot] = feature
        self.statistics.update(features)


def distance(real: Features, made: Features) -> Estimate:
    """Returns the squared Frechet distance of two sets.

    The interval is estimated on the samples, see `Coupling.error`.

    Args:
      real, made: features of originals and of results.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    if real.statistics is None or made.statistics is None:
        raise NotEnoughError("0 pictures, at least 2 are needed")
    coupling = Coupling(real.statistics, made.statistics)
    error = coupling.error(real.kept, made.kept)
    return estimates.around(coupling.distance, error, made.count)


def kid(real: Features, made: Features) -> Estimate:
    """Returns the kernel inception distance of the samples.

    Two equally large samples of at most 1,000 are used whole, without an interval.

    Args:
      real, made: features of originals and of results.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    value, error = kid_and_error(real.kept, made.kept, SEED)
    error = error or float("nan")
    return estimates.around(value, error, len(made.kept))


def precision_and_recall(real: Features, made: Features) -> tuple[Estimate, Estimate]:
    """Returns precision and recall of the samples, with binomial intervals.

    Args:
      real, made: features of originals and of results.

    Raises:
      NotEnoughError: a set has three members or fewer.
    """
    precision, recall = precision_recall(real.kept, made.kept)
    return (
        estimates.share(_hits(precision, len(made.kept))),
        estimates.share(_hits(recall, len(real.kept))),
    )


def _hits(part: float, count: int) -> np.ndarray:
    """A share as bool [count]."""
    return np.arange(count) < round(part * count)
