"""Frechet distance, KID, precision and recall of two sets of features."""

import numpy as np
from scipy.spatial.distance import cdist

from anonygan_jax.evaluation.collect.features import FeatureStatistics, NotEnoughError

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000  # clean-fid's
NEIGHBOUR = 3  # of precision and recall


class Coupling:
    """Two sets as Gaussians, with the optimal transports between them.

    Source: Heusel et al. 2017. Differs: the trace of the square root of S_a S_b is
    computed from a symmetric matrix with the same eigenvalues, so that no complex
    numbers arise where a covariance is singular.
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
          sample_a, sample_b: float [N, D], some features of each set.

        Source: the delta method. The influence of a picture x of b on the distance is
        2 (mean_b - mean_a).y + y'(I - T)y, where y = x - mean_b and T is the optimal
        transport from b to a (gradient: Dowson and Landau 1982). The same holds for a.
        Where a covariance is singular, the transport acts on its range alone.
        """
        from_a = self._inverse @ self._middle @ self._inverse
        from_b = self._root @ self._middle_inverse @ self._root
        a, b = sample_a - self._a.mean, sample_b - self._b.mean
        variance = _influence(a, -self._apart, from_a).var() / self._a.count
        variance += _influence(b, self._apart, from_b).var() / self._b.count
        return float(variance**0.5)


def _roots(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square root of a covariance, and the root's pseudo-inverse."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > values.max() * len(values) * np.finfo(np.float64).eps
    roots = np.sqrt(np.where(kept, values, 0))
    inverses = np.divide(1, roots, out=np.zeros_like(roots), where=kept)
    return (vectors * roots) @ vectors.T, (vectors * inverses) @ vectors.T


def _influence(
    centred: np.ndarray, apart: np.ndarray, transport: np.ndarray
) -> np.ndarray:
    """The influence of each picture on the distance, [N]."""
    moved = centred @ (np.eye(len(apart)) - transport)
    return 2 * centred @ apart + (moved * centred).sum(-1)


def kid_and_error(a: np.ndarray, b: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Returns the kernel inception distance and its standard error over subsets.

    Args:
      a, b: float [N, D] and [M, D] features. Of two equally large sets of at most 1,000
        the whole is used, and the error is 0.
      seed: of the random subsets.

    Source: Binkowski et al. 2018; unbiased MMD of the kernel (x.y / D + 1)^3 over 100
    subsets of at most 1,000, as clean-fid computes it.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    size = min(len(a), len(b), KID_SUBSET_SIZE)
    if size < 2:
        raise NotEnoughError(f"{size} pictures, at least 2 are needed")
    if size == len(a) == len(b):
        return squared_mmd(a, b), 0.0
    rng = np.random.default_rng(seed)
    values = [
        squared_mmd(*(x[rng.choice(len(x), size, replace=False)] for x in (a, b)))
        for _ in range(KID_SUBSETS)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1) / KID_SUBSETS**0.5)


def squared_mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the unbiased squared maximum mean discrepancy of two sets [N, D]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size, dimension = a.shape
    within = (a @ a.T / dimension + 1) ** 3 + (b @ b.T / dimension + 1) ** 3
    across = (a @ b.T / dimension + 1) ** 3
    pairs = size * (size - 1)
    return float((within.sum() - np.trace(within)) / pairs - 2 * across.mean())


def precision_recall(real: np.ndarray, made: np.ndarray) -> tuple[float, float]:
    """Returns precision and recall of made pictures, each 0 to 1.

    Precision is the share of made pictures in the manifold of the real ones, recall the
    share of real pictures in the manifold of the made ones. The manifold of a set is
    the union of balls around its members, up to the third nearest other member.

    Args:
      real, made: float [N, D] and [M, D] features.

    Source: Kynkaanniemi et al. 2019, k = 3.

    Raises:
      NotEnoughError: a set has three members or fewer.
    """
    if min(len(real), len(made)) <= NEIGHBOUR:
        raise NotEnoughError(f"at least {NEIGHBOUR + 1} pictures are needed")
    apart = cdist(real, made)
    precision = (apart <= _radii(real)[:, None]).any(0).mean()
    recall = (apart <= _radii(made)[None]).any(1).mean()
    return float(precision), float(recall)


def _radii(features: np.ndarray) -> np.ndarray:
    """Distance of each member to the third nearest other member."""
    apart = cdist(features, features)
    return np.partition(apart, NEIGHBOUR, axis=1)[:, NEIGHBOUR]
