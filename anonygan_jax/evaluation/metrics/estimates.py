"""Estimates with 95% confidence intervals."""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest, bootstrap, norm

CONFIDENCE = 0.95
RESAMPLES = 2_000  # of a bootstrap


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


def paired_difference(
    values: np.ndarray, others: np.ndarray, people: np.ndarray
) -> Estimate:
    """Returns the mean of values - others, with the interval of a paired bootstrap.

    People are drawn, with all their probes. Where nothing differs, no draw does, and
    the interval is that of 0 of N people, about 3.7/N to both sides.

    Args:
      values, others: float [N], of the same probes.
      people: [N], whom each probe shows.
    """
    apart = np.asarray(values, float) - np.asarray(others, float)
    people, apart = people[np.isfinite(apart)], apart[np.isfinite(apart)]
    if not len(apart):
        return nothing()
    _, number = np.unique(people, return_inverse=True)
    sums, counts = np.bincount(number, apart), np.bincount(number)
    mean_apart, num_people = float(apart.mean()), len(counts)
    if not apart.any():
        limit = 1 - ((1 - CONFIDENCE) / 2) ** (1 / num_people)
        return Estimate(0.0, -limit, limit, len(apart))
    if num_people < 2:
        return Estimate(mean_apart, np.nan, np.nan, len(apart))
    drawn = bootstrap(
        (sums, counts),
        lambda s, c, axis: s.sum(axis) / c.sum(axis),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=RESAMPLES // 10,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(mean_apart, float(drawn.low), float(drawn.high), len(apart))


def jackknife(statistic: Callable[[np.ndarray], float], people: np.ndarray) -> Estimate:
    """Returns a statistic of probes, with its error by leaving out each person.

    Of pairs the error is an upper bound in expectation (Efron and Stein 1981).

    Args:
      statistic: of a part of the probes, given as bool [N].
      people: [N], whom each probe shows; of pairs [N, 2].
    """
    people = people.reshape(len(people), -1)
    everybody = np.unique(people)
    value, count = statistic(np.ones(len(people), bool)), len(everybody)
    without = np.array([statistic((people != one).all(1)) for one in everybody])
    error = float(((count - 1) * without.var()) ** 0.5)
    return around(value, error, len(people))


def nothing() -> Estimate:
    """Returns the estimate of what could not be measured: NaN."""
    return Estimate(np.nan, np.nan, np.nan, 0)
