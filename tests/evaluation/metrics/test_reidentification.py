"""Verification, identification and linkage against loops and other statistics."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from anonygan_jax.evaluation.collect.pair_lists import PairList
from anonygan_jax.evaluation.metrics import reidentification


def people(seed: int, spread: float, num_people: int = 12) -> dict[str, np.ndarray]:
    """Three photos of each person, clustered around a point of the person's."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(num_people, 8))
    return {
        f"p{i}/p{i}_{j}": centres[i] + spread * rng.normal(size=8)
        for i in range(num_people)
        for j in range(3)
    }


def all_pairs(embeddings: dict[str, np.ndarray]) -> PairList:
    first, second = zip(*itertools.combinations(sorted(embeddings), 2), strict=True)
    owners = [[name.split("/")[0] for name in side] for side in (first, second)]
    same = np.equal(*owners)
    return PairList(list(first), list(second), same, np.arange(len(same)) % 10)


def test_distances_take_each_photo_from_its_own_set():
    known, made = people(0, 0.1), people(1, 0.1)
    pairs = all_pairs(known)
    apart = reidentification.pair_distances(pairs, known, made)
    expected = np.sqrt(np.sum((known[pairs.first[5]] - made[pairs.second[5]]) ** 2))
    assert apart[5] == pytest.approx(expected)


@given(seed=st.integers(0, 30), spread=st.floats(0.1, 2))
def test_verification_takes_the_best_threshold_of_the_other_folds(seed, spread):
    embeddings = people(seed, spread, 5)
    pairs = all_pairs(embeddings)
    apart = reidentification.pair_distances(pairs, embeddings, embeddings)
    right = reidentification.verified(pairs, apart)
    for fold in range(10):
        train = pairs.fold != fold
        limits = np.append(np.sort(apart[train]), 0.0)
        best = max(np.mean((apart[train] <= x) == pairs.same[train]) for x in limits)
        # A threshold exactly as good as the best one explains what was answered.
        tested = ~train
        taken = right[tested] == pairs.same[tested]
        low = apart[tested][taken].max(initial=0.0)
        high = apart[tested][~taken].min(initial=np.inf)
        assert low <= high
        good = [
            x
            for x in limits
            if np.mean((apart[train] <= x) == pairs.same[train]) == best
        ]
        assert any(x <= high for x in good)


def test_well_apart_people_are_all_verified():
    embeddings = people(3, 0.01)
    pairs = all_pairs(embeddings)
    apart = reidentification.pair_distances(pairs, embeddings, embeddings)
    assert reidentification.verified(pairs, apart).all()
    assert reidentification.roc(pairs.same, apart).area == 1
    assert reidentification.roc(pairs.same[pairs.same], apart[pairs.same]) is None


def test_the_roc_s_area_is_the_rank_statistic():
    embeddings = people(4, 0.9)
    pairs = all_pairs(embeddings)
    apart = reidentification.pair_distances(pairs, embeddings, embeddings)
    same, other = apart[pairs.same], apart[~pairs.same]
    expected = mannwhitneyu(other, same).statistic / (len(same) * len(other))
    assert reidentification.roc(pairs.same, apart).area == pytest.approx(expected)


def test_strangers_are_all_pairs_of_different_people():
    embeddings = people(5, 0.5)
    expected = [
        np.linalg.norm(embeddings[a] - embeddings[b])
        for a, b in itertools.combinations(embeddings, 2)
        if a.split("/")[0] != b.split("/")[0]
    ]
    found = reidentification.stranger_distances(embeddings)
    np.testing.assert_allclose(np.sort(found), np.sort(expected), rtol=1e-6)
    one = {n: e for n, e in embeddings.items() if n.startswith("p1/")}
    assert not len(reidentification.stranger_distances(one))
    assert not len(reidentification.stranger_distances({}))
    alone = {f"photo_{n}": np.eye(4, dtype=np.float32)[n] for n in range(4)}
    found = reidentification.stranger_distances(alone)
    np.testing.assert_allclose(found, np.full(6, 2**0.5), rtol=1e-6)
