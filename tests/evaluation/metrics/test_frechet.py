"""Distances of sets against scipy, numpy and shapes whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from anonygan_jax.evaluation.collect.features import FeatureStatistics, NotEnoughError
from anonygan_jax.evaluation.metrics import frechet


def statistics(features: np.ndarray, batch: int = 7) -> FeatureStatistics:
    made = FeatureStatistics(features.shape[1])
    for start in range(0, len(features), batch):
        made.update(features[start : start + batch])
    return made


@given(seed=st.integers(0, 99), batch=st.integers(1, 40), far=st.floats(0, 1e4))
def test_batches_give_the_statistics_of_the_whole(seed, batch, far):
    features = np.random.default_rng(seed).normal(far, 0.1, (40, 5)).astype(np.float32)
    made = statistics(features, batch)
    exact = features.astype(np.float64)
    np.testing.assert_allclose(made.mean, exact.mean(0), rtol=1e-12)
    np.testing.assert_allclose(
        made.covariance, np.cov(exact, rowvar=False), rtol=1e-7, atol=1e-12
    )


def test_equals_the_formula_with_scipys_matrix_root():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 12))
    b = rng.normal(0.4, 1.3, (200, 12))
    means, covariances = [x.mean(0) for x in (a, b)], [np.cov(x.T) for x in (a, b)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = np.sum((means[0] - means[1]) ** 2)
    expected += np.trace(covariances[0] + covariances[1] - 2 * root)
    distance = frechet.Coupling(statistics(a), statistics(b)).distance
    assert distance == pytest.approx(expected, rel=1e-8)


def test_a_known_gaussian_pair():
    # Diagonal Gaussians: the sum of (mean apart)^2 + (deviation apart)^2.
    rng = np.random.default_rng(2)
    base = rng.normal(size=(5000, 3))
    base = (base - base.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(base.T))).T
    a, b = base * [1, 2, 3] + [0, 1, 0], base * [2, 2, 1]
    distance = frechet.Coupling(statistics(a), statistics(b)).distance
    assert distance == pytest.approx(1 + 1 + 4, rel=1e-6)


def test_fewer_pictures_than_features_stay_finite():
    few = np.random.default_rng(3).normal(size=(10, 50))
    assert frechet.Coupling(statistics(few), statistics(few)).distance < 1e-6
    with pytest.raises(NotEnoughError, match="1 pictures"):
        frechet.Coupling(statistics(few[:1]), statistics(few))


def test_kid_is_the_double_sum():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(9, 4)), rng.normal(0.5, 1, (9, 4))

    def mean(x, y, same):
        kernel = [
            (p @ q / 4 + 1) ** 3
            for i, p in enumerate(x)
            for j, q in enumerate(y)
            if not (same and i == j)
        ]
        return np.mean(kernel)

    expected = mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False)
    assert frechet.kid_and_error(a, b) == (pytest.approx(expected), 0.0)


def test_kid_of_subsets_agrees_with_the_whole(monkeypatch):
    monkeypatch.setattr(frechet, "KID_SUBSET_SIZE", 300)
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(1500, 6)), rng.normal(0.3, 1, (1300, 6))
    value, error = frechet.kid_and_error(a, b)
    assert 0 < error < 0.01
    whole = frechet.squared_mmd(a[:1300], b)
    assert value == pytest.approx(whole, abs=0.03)


def test_precision_and_recall_by_a_loop_and_at_the_extremes():
    rng = np.random.default_rng(6)
    real, made = rng.normal(size=(30, 2)), rng.normal(0.5, 0.5, (25, 2))
    radii = np.sort(cdist(real, real), 1)[:, 3]
    inside = [
        any(np.linalg.norm(m - r) <= d for r, d in zip(real, radii, strict=True))
        for m in made
    ]
    precision, recall = frechet.precision_recall(real, made)
    assert precision == np.mean(inside)
    assert 0 < recall < precision
    assert frechet.precision_recall(real, real) == (1, 1)
    assert frechet.precision_recall(real, real + 100) == (0, 0)
    with pytest.raises(NotEnoughError):
        frechet.precision_recall(real[:3], made)


def test_the_error_is_what_repeated_draws_show():
    rng = np.random.default_rng(8)
    mix_a, mix_b = rng.normal(size=(2, 5, 5))

    def draw():
        return rng.normal(size=(400, 5)) @ mix_a, rng.normal(0.4, 1, (300, 5)) @ mix_b

    distances, errors = [], []
    for _ in range(200):
        sets = draw()
        both = [statistics(x, 500) for x in sets]
        coupling = frechet.Coupling(*both)
        distances.append(coupling.distance)
        errors.append(coupling.error(*sets))
    assert np.mean(errors) == pytest.approx(np.std(distances), rel=0.2)
    few = rng.normal(size=(10, 50))
    singular = statistics(few)
    assert np.isfinite(frechet.Coupling(singular, singular).error(few, few))
