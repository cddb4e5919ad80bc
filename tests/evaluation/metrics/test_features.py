"""A sample that stands for the whole."""

import numpy as np
import pytest

from anonygan_jax.evaluation.collect import features as collected
from anonygan_jax.evaluation.collect.features import Features
from anonygan_jax.evaluation.metrics import distribution


def test_the_kept_features_are_a_uniform_sample(monkeypatch):
    monkeypatch.setattr(collected, "MAX_KEPT", 50)
    counts = np.zeros(200)
    for seed in range(200):
        monkeypatch.setattr(collected, "SAMPLE_SEED", seed)
        made = Features()
        for start in range(0, 200, 7):
            made.update(np.arange(start, min(start + 7, 200), dtype=float)[:, None])
        assert made.count == 200
        assert len(made.kept) == 50
        assert made.statistics.mean == pytest.approx(99.5)
        counts[made.kept[:, 0].astype(int)] += 1
    assert len(np.unique(made.kept)) == 50
    # Binomial(200, 1/4): 6.1 deviation.
    assert abs(counts - 50).max() < 5 * 6.2
    assert abs(counts[:50].mean() - 50) < 3


def test_estimates_of_equal_and_of_other_sets():
    rng = np.random.default_rng(0)
    real, like, unlike = Features(), Features(), Features()
    real.update(rng.normal(size=(300, 4)))
    like.update(rng.normal(size=(300, 4)))
    unlike.update(rng.normal(2, 1, (300, 4)))
    near, far = distribution.compare(real, like), distribution.compare(real, unlike)
    assert near["frechet"].value < far["frechet"].low
    assert far["frechet"].low < 16 < far["frechet"].high
    assert np.isnan(near["kid"].low)
    assert far["precision"].value < 0.6
    assert far["recall"].count == 300
