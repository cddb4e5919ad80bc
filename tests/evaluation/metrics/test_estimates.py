"""Intervals against their formulas."""

import numpy as np
import pytest
from scipy import stats

from anonygan_jax.evaluation.metrics import estimates


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (3, 20), (97, 100), (5, 5)])
def test_shares_have_wilsons_interval(hits, count):
    z = stats.norm.ppf(0.975)
    part = hits / count
    centre = (part + z**2 / (2 * count)) / (1 + z**2 / count)
    spread = np.sqrt(part * (1 - part) / count + z**2 / (4 * count**2))
    width = z * spread / (1 + z**2 / count)
    estimate = estimates.share(np.arange(count) < hits)
    assert (estimate.value, estimate.count) == (part, count)
    assert estimate.low == pytest.approx(centre - width, abs=1e-12)
    assert estimate.high == pytest.approx(centre + width, abs=1e-12)


def test_means_leave_out_what_could_not_be_measured():
    values = np.random.default_rng(0).normal(3, 2, 50)
    estimate = estimates.mean(np.append(values, [np.nan, np.inf]))
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert estimate.count == 50
    assert (estimate.low, estimate.high) == (pytest.approx(low), pytest.approx(high))
    assert estimates.mean(np.array([np.nan])).count == 0
    assert np.isnan(estimates.share(np.zeros(0, bool)).value)


def test_folds_give_mean_and_deviation():
    hits = np.array([True, True, False, False, False, True])
    folds = np.array([0, 0, 1, 1, 7, 7])
    estimate = estimates.over_folds(hits, folds)
    assert estimate.value == pytest.approx(0.5)
    assert estimate.deviation == pytest.approx(np.std([1, 0, 0.5], ddof=1))
    assert estimates.over_folds(hits[:2], folds[:2]).deviation is None
