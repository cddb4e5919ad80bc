"""Estimates with 95% confidence intervals."""

import dataclasses

import numpy as np
from scipy.stats import binomtest, norm

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Estimate:
    """One figure of a report.

    Attributes:
      value: the estimate; NaN where nothing could be measured.
      low, high: its 95% interval; NaN where there is none.
      count: number of photos or pairs.
      deviation: standard deviation over folds, where there are any.
    """

    value: float
    low: float
    high: float
    count: int
    deviation: float | None = None


def share(hits: np.ndarray) -> Estimate:
    """Returns the share of true values of bool [N], with Wilson's interval."""
    count = len(hits)
    if count == 0:
        return nothing()
    test = binomtest(int(np.sum(hits)), count)
    interval = test.proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(float(np.mean(hits)), interval.low, interval.high, count)


def over_folds(hits: np.ndarray, folds: np.ndarray) -> Estimate:
    """Returns the mean over folds, its deviation, and Wilson's interval of all."""
    if len(hits) == 0:
        return nothing()
    shares = np.array([hits[folds == fold].mean() for fold in np.unique(folds)])
    deviation = float(shares.std(ddof=1)) if len(shares) > 1 else None
    return dataclasses.replace(
        share(hits), value=float(shares.mean()), deviation=deviation
    )


def mean(values: np.ndarray) -> Estimate:
    """Returns the mean of the finite values, float [N], with a normal interval."""
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return nothing()
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
    return around(float(values.mean()), float(error), len(values))


def around(value: float, error: float, count: int) -> Estimate:
    """Returns an estimate with a normal interval, of its standard error or NaN."""
    width = float(norm.ppf((1 + CONFIDENCE) / 2)) * error
    return Estimate(value, value - width, value + width, count)


def nothing() -> Estimate:
    """Returns the estimate of what could not be measured: NaN."""
    return Estimate(np.nan, np.nan, np.nan, 0)
