"""The attacker's gallery against loops and scikit-learn."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier

from anonygan_jax.evaluation.metrics import gallery as galleries
from anonygan_jax.evaluation.metrics.gallery import Gallery


def people(
    seed: int, spread: float, num_people: int = 12, num_photos: int = 3
) -> dict[str, np.ndarray]:
    """Photos of each person, clustered around a point of the person's."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(num_people, 8))
    return {
        f"p{i}/p{i}_{j}": centres[i] + spread * rng.normal(size=8)
        for i in range(num_people)
        for j in range(num_photos)
    }


@settings(max_examples=10)
@given(seed=st.integers(0, 20))
def test_thresholds_accept_their_share_of_strangers(seed):
    embeddings = people(seed, 0.5, num_people=40)
    apart = [
        np.linalg.norm(embeddings[a] - embeddings[b])
        for a, b in itertools.combinations(embeddings, 2)
        if a.split("/")[0] != b.split("/")[0]
    ]
    found = Gallery(embeddings).thresholds
    assert list(found) == [1e-2]  # 7,020 pairs: 0.1% would be told by seven
    assert np.mean(apart < np.float64(found[1e-2])) == pytest.approx(1e-2, abs=3e-4)
    assert Gallery(people(seed, 0.5, num_people=3)).thresholds == {}


def test_rank_one_is_the_nearest_neighbours_person():
    known, made = people(1, 0.7), people(2, 0.9)
    names = sorted(known)
    owners = [name.split("/")[0] for name in names]
    vectors = np.stack([known[name] for name in names])
    model = KNeighborsClassifier(1).fit(vectors, owners)
    expected = model.predict(np.stack([made[name] for name in names]))
    hits = Gallery(known).rank_one(made, with_own=True)
    assert [hits[(name,)] for name in names] == [
        float(a == b) for a, b in zip(expected, owners, strict=True)
    ]
    without = Gallery(known).rank_one(made, with_own=False)
    for number, name in enumerate(names):
        others = np.arange(len(names)) != number
        model = KNeighborsClassifier(1).fit(vectors[others], np.array(owners)[others])
        (nearest,) = model.predict(made[name][None])
        assert without[(name,)] == (nearest == owners[number])
    assert 0.2 < np.mean(list(without.values())) < np.mean(list(hits.values())) < 1


def test_large_galleries_are_asked_in_parts(monkeypatch):
    known, made = people(1, 0.7), people(2, 0.9)
    whole = Gallery(known).rank_one(made, with_own=False)
    monkeypatch.setattr(galleries, "ROWS", 5)
    assert Gallery(known).rank_one(made, with_own=False) == whole


def test_people_with_one_photo_are_strangers_only():
    known = people(1, 0.1) | {"alone/alone_0": np.zeros(8)}
    made = {"alone/alone_0": np.zeros(8), "p1/p1_0": known["p1/p1_0"]}
    assert list(Gallery(known).rank_one(made, with_own=False)) == [("p1/p1_0",)]
    assert len(Gallery(known).rank_one(made, with_own=True)) == 2
    assert Gallery({}).rank_one(made, with_own=False) == {}


def test_chance_is_what_random_embeddings_hit():
    rng = np.random.default_rng(0)
    names = sorted(people(0, 1)) + [f"alone{n}/x" for n in range(24)]
    hits, own = [], []
    for _ in range(150):
        known = {name: rng.normal(size=8) for name in names}
        made = {name: rng.normal(size=8) for name in names}
        gallery = Gallery(known)
        hits += gallery.rank_one(made, with_own=False).values()
        own += gallery.rank_one(made, with_own=True).values()
    expected = np.mean(list(gallery.chance(made, with_own=False).values()))
    assert expected == pytest.approx(2 / 59)
    assert np.mean(hits) == pytest.approx(expected, abs=0.006)
    expected = np.mean(list(gallery.chance(made, with_own=True).values()))
    assert np.mean(own) == pytest.approx(expected, abs=0.006)
