"""Distances of two sets of features, each with its interval."""

import numpy as np

from anonygan_jax.evaluation.collect.features import (
    SAMPLE_SEED,
    Features,
    NotEnoughError,
)
from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.frechet import (
    Coupling,
    kid_and_error,
    precision_recall,
)


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
    value, error = kid_and_error(real.kept, made.kept, SAMPLE_SEED)
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
