"""How far two sets of pictures lie apart, by statistics of their features."""

import numpy as np
from scipy.spatial.distance import cdist

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000  # clean-fid's
NEIGHBOUR = 3  # of precision and recall


class NotEnoughError(ValueError):
    """A set too small for a measure to mean anything."""


class FeatureStatistics:
    """Mean and covariance of features, from batches, in memory that does not grow.

    Sums are of float64 and taken about the first batch's mean, so that features far
    from zero lose nothing.
    """

    def __init__(self, dimension: int) -> None:
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
        """float64 [D]."""
        self._check()
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 [D, D], unbiased as numpy.cov's."""
        self._check()
        outer = np.outer(self._sum, self._sum) / self.count
        return (self._products - outer) / (self.count - 1)

    def _check(self) -> None:
        if self.count < 2:
            raise NotEnoughError(f"{self.count} pictures, at least 2 are needed")


class Coupling:
    """Two sets as Gaussians, with the optimal transports between them.

    Source: Heusel et al. 2017. Differs from their code in that the trace of the square
    root of S_a S_b is taken from the eigenvalues of a symmetric matrix that has the
    same: nothing complex arises where a covariance is singular.
    """

    def __init__(self, a: FeatureStatistics, b: FeatureStatistics) -> None:
        """Decomposes the covariances.

        Raises:
          NotEnoughError: a set has fewer than two members.
        """
        self._a, self._b = a, b
        self._covariances = a.covariance, b.covariance
        self._root, self._inverse = _roots(self._covariances[0])
        product = self._root @ self._covariances[1] @ self._root
        self._middle, self._middle_inverse = _roots(product)
        self._apart = b.mean - a.mean

    @property
    def distance(self) -> float:
        """The squared Frechet distance, 0 or more."""
        spread = sum(np.trace(c) for c in self._covariances)
        distance = self._apart @ self._apart + spread - 2 * np.trace(self._middle)
        return max(float(distance), 0.0)

    def error(self, sample_a: np.ndarray, sample_b: np.ndarray) -> float:
        """Returns the standard error of the distance.

        Args:
          sample_a, sample_b: float [N, D], some of the sets' features.

        Source: the delta method. A picture x of b moves the distance by its influence
        2 (mean_b - mean_a).y + y'(I - T)y with y = x - mean_b and T the optimal
        transport from b to a (Dowson and Landau 1982 have the gradient); likewise for
        a. Where a covariance is singular, transports act on its range alone.
        """
        from_a = self._inverse @ self._middle @ self._inverse
        from_b = self._root @ self._middle_inverse @ self._root
        a, b = sample_a - self._a.mean, sample_b - self._b.mean
        variance = _influence(a, -self._apart, from_a).var() / self._a.count
        variance += _influence(b, self._apart, from_b).var() / self._b.count
        return float(variance**0.5)


def frechet_distance(a: FeatureStatistics, b: FeatureStatistics) -> float:
    """Returns the squared Frechet distance of two sets as Gaussians, 0 or more.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    return Coupling(a, b).distance


def _roots(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Square root and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values.max() * len(values) * np.finfo(np.float64).eps
    roots = np.sqrt(np.where(kept, values, 0))
    inverses = np.divide(1, roots, out=np.zeros_like(roots), where=kept)
    return (vectors * roots) @ vectors.T, (vectors * inverses) @ vectors.T


def _influence(
    centred: np.ndarray, apart: np.ndarray, transport: np.ndarray
) -> np.ndarray:
    """How much each feature moves the distance, [N]."""
    moved = centred @ (np.eye(len(apart)) - transport)
    return 2 * centred @ apart + (moved * centred).sum(-1)


def kernel_distance(a: np.ndarray, b: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Returns the KID and its standard error over random subsets.

    Args:
      a, b: float [N, D] and [M, D] features. With at most 1,000 a subset is the whole
        set, and the error 0.

    Source: Binkowski et al. 2018; unbiased MMD of the kernel (x.y / D + 1)^3 over 100
    subsets of at most 1,000, as clean-fid computes it.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    size = min(len(a), len(b), KID_SUBSET_SIZE)
    if size < 2:
        raise NotEnoughError(f"{size} pictures, at least 2 are needed")
    if size == len(a) == len(b):
        return _mmd(a, b), 0.0
    rng = np.random.default_rng(seed)
    values = [
        _mmd(*(x[rng.choice(len(x), size, replace=False)] for x in (a, b)))
        for _ in range(KID_SUBSETS)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1) / KID_SUBSETS**0.5)


def _mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of two sets of one size."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size, dimension = a.shape
    within = (a @ a.T / dimension + 1) ** 3 + (b @ b.T / dimension + 1) ** 3
    across = (a @ b.T / dimension + 1) ** 3
    pairs = size * (size - 1)
    return float((within.sum() - np.trace(within)) / pairs - 2 * across.mean())


def precision_recall(real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Returns the shares of made pictures that look real, and of real ones covered.

    A picture counts when it lies within a member's distance to that set's third
    nearest other member.

    Args:
      real, made: float [N, D] and [M, D] features.

    Source: Kynkaanniemi et al. 2019, k = 3.

    Raises:
      NotEnoughError: a set has at most three members.
    """
    if min(len(real), len(made)) <= NEIGHBOUR:
        raise NotEnoughError(f"at least {NEIGHBOUR + 1} pictures are needed")
    apart = cdist(real, made)
    precision = (apart <= _radii(real)[:, None]).any(0).mean()
    recall = (apart <= _radii(made)[None]).any(1).mean()
    return float(precision), float(recall)


def _radii(features: np.ndarray) -> np.ndarray:
    """Distance of each member to its third nearest other."""
    apart = cdist(features, features)
    return np.partition(apart, NEIGHBOUR, axis=1)[:, NEIGHBOUR]
