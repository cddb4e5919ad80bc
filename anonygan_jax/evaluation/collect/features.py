"""Features of a set of pictures: statistics of all, and a sample that is kept."""

import numpy as np

MAX_KEPT = 5_000  # pictures of a set; 40 MB of Inception's features
SAMPLE_SEED = 0


class NotEnoughError(ValueError):
    """A set that is too small for a metric."""


class FeatureStatistics:
    """Mean and covariance of features, from batches, in constant memory.

    Sums are in float64 and about the first batch's mean: features far from zero keep
    their precision.
    """

    def __init__(self, dimension: int) -> None:
        """Starts with no picture; `dimension` is the number of features."""
        self.count = 0
        self._shift = np.zeros(dimension)
        self._sum = np.zeros(dimension)
        self._products = np.zeros((dimension, dimension))

    def update(self, features: np.ndarray) -> None:
        """Adds float [B, D] features."""
        if self.count == 0 and len(features):
            self._shift = features.mean(0, dtype=np.float64)
        apart = np.asarray(features, np.float64) - self._shift
        self.count += len(features)
        self._sum += apart.sum(0)
        self._products += apart.T @ apart

    @property
    def mean(self) -> np.ndarray:
        """float64 [D]; raises NotEnoughError for fewer than two pictures."""
        self._check()
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 [D, D], unbiased as numpy.cov's; raises as `mean`."""
        self._check()
        outer = np.outer(self._sum, self._sum) / self.count
        return (self._products - outer) / (self.count - 1)

    def _check(self) -> None:
        """Refuses sets without a covariance."""
        if self.count < 2:
            raise NotEnoughError(f"{self.count} pictures, at least 2 are needed")


class Features:
    """Statistics of any number of features, and a uniform sample of them.

    Attributes:
      statistics: of all; None before the first.
    """

    def __init__(self) -> None:
        self.statistics: FeatureStatistics | None = None
        self._kept: list[np.ndarray] = []
        self._rng = np.random.default_rng(SAMPLE_SEED)

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
