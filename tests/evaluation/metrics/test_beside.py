"""Figures beside the floor: estimates, differences, and the metrics that have them."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.collect.pair_lists import other_photos, pairs_of
from anonygan_jax.evaluation.metrics import (
    beside,
    estimates,
    fine_tuned,
    identification,
    linkage,
    self_reidentification,
    verification,
)
from anonygan_jax.evaluation.metrics.gallery import Gallery
from anonygan_jax.evaluation.metrics.metric import MetricInputs
from anonygan_jax.recognition.table import MOBILEFACENET

NUM_PEOPLE, SIZE = 60, 16


def photos(
    seed: int, identity: float, common: float = 0.0, people: int = 0
) -> dict[str, np.ndarray]:
    """Three photos of each person, of unit length.

    Args:
      identity: how much of an embedding is the person's.
      common: how much is the same in all.
      people: seed of the people.
    """
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng([0, people]).normal(size=(NUM_PEOPLE, SIZE))
    shared = np.random.default_rng(1).normal(size=SIZE)
    found = {}
    for person, number in itertools.product(range(NUM_PEOPLE), range(3)):
        vector = identity * centres[person] + common * shared + rng.normal(size=SIZE)
        found[f"p{person:02}/{number}"] = vector / np.linalg.norm(vector)
    return found


def inputs_of(made: dict, floor: dict | None, people: int = 0) -> MetricInputs:
    known = photos(2, 3.0, people=people)
    folders = [FolderMeasurement(), FolderMeasurement(), FolderMeasurement()]
    for folder, embeddings in zip(folders, (known, made, floor), strict=True):
        if embeddings is not None:
            folder.embeddings = {MOBILEFACENET: embeddings}
    return MetricInputs(
        *(folders[0], folders[1], {MOBILEFACENET: Gallery(known)}),
        None if floor is None else folders[2],
        pairs_of(known.keys(), made.keys()),
    )


@pytest.fixture(scope="module")
def leaking() -> MetricInputs:
    """Results that tell a lot, beside a floor that tells little."""
    return inputs_of(photos(3, 1.5), photos(4, 0.3))


def test_rates_are_those_of_a_loop(leaking):
    known = leaking.originals.embeddings[MOBILEFACENET]
    made = leaking.results.embeddings[MOBILEFACENET]
    limit = leaking.gallery[MOBILEFACENET].thresholds[1e-2]
    measures = verification.METRIC.measure(leaking)
    other = other_photos(known)
    hits = [np.linalg.norm(made[n] - known[other[n]]) < limit for n in made]
    key = verification.tar_key(1e-2, MOBILEFACENET)
    assert measures[key].value == pytest.approx(np.mean(hits))
    assert measures[key].count == 3 * NUM_PEOPLE
    own = [np.linalg.norm(made[n] - known[n]) < limit for n in made]
    key = self_reidentification.own_key(MOBILEFACENET)
    measures = self_reidentification.METRIC.measure(leaking)
    assert measures[key].value == pytest.approx(np.mean(own))
    assert 0.1 < np.mean(hits) < 1


def test_the_area_is_scikit_learns(leaking):
    known = leaking.originals.embeddings[MOBILEFACENET]
    for end, folder in (("", leaking.results), (beside.FLOOR, leaking.floor)):
        made = folder.embeddings[MOBILEFACENET]
        pairs = leaking.pairs
        apart = [
            np.linalg.norm(known[a] - made[b])
            for a, b in zip(pairs.first, pairs.second, strict=True)
        ]
        expected = roc_auc_score(pairs.same, -np.array(apart))
        found = verification.AREA.measure(leaking)[f"auc_{MOBILEFACENET}{end}"]
        assert found.value == pytest.approx(expected)


def test_the_area_s_interval_is_about_its_spread_over_samples_of_people():
    key = f"auc_{MOBILEFACENET}"
    found = []
    for seed in range(40):
        made = photos(2 * seed, 0.8, people=seed)
        floor = photos(2 * seed + 1, 0.3, people=seed)
        found.append(verification.AREA.measure(inputs_of(made, floor, seed)))
    for end in ("", beside.OVER_FLOOR):
        spread = np.std([each[key + end].value for each in found], ddof=1)
        widths = [each[key + end].high - each[key + end].low for each in found]
        ratio = np.mean(widths) / (2 * 1.96) / spread
        assert 0.8 < ratio < 1.7, end  # of pairs, a jackknife's errors are upper bounds


def test_differences_have_the_interval_of_a_paired_test():
    rng = np.random.default_rng(0)
    values, others = rng.normal(0.3, 1, 400), rng.normal(0, 1, 400)
    found = estimates.paired_difference(values, others, np.arange(400))
    known = ttest_rel(values, others).confidence_interval(0.95)
    assert found.value == pytest.approx((values - others).mean())
    assert found.low == pytest.approx(known.low, abs=0.02)
    assert found.high == pytest.approx(known.high, abs=0.02)


def test_many_photos_of_a_person_are_one_person():
    rng = np.random.default_rng(1)
    each = rng.normal(0, 1, 40)
    once = estimates.paired_difference(each, np.zeros(40), np.arange(40))
    five = estimates.paired_difference(
        np.repeat(each, 5), np.zeros(200), np.repeat(np.arange(40), 5)
    )
    assert five.high - five.low == pytest.approx(once.high - once.low, rel=0.1)
    assert five.value == pytest.approx(once.value)


def test_people_are_drawn_with_all_their_photos():
    rng = np.random.default_rng(4)
    counts = np.tile([1, 9], 30)
    people = np.repeat(np.arange(60), counts)
    values = np.where(counts[people] == 9, 1.0, 0.0) + 0.1 * rng.normal(size=300)
    found = estimates.paired_difference(values, np.zeros(300), people)
    means = []
    for _ in range(2000):
        drawn = rng.integers(60, size=60)
        means.append(np.concatenate([values[people == p] for p in drawn]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.01)
    assert found.high == pytest.approx(high, abs=0.01)


def test_the_photos_of_a_person_are_one_draw():
    names = [f"p{i}/{j}" for i in range(40) for j in range(8)]
    each = np.random.default_rng(3).normal(size=40)
    inputs = inputs_of({"p0/0": np.ones(1)}, {"p0/0": np.zeros(1)})

    def values(made: dict) -> dict:
        of_result = float(made["p0/0"][0])
        return {(n,): of_result * each[i // 8] for i, n in enumerate(names)}

    found = beside.measure(inputs, MOBILEFACENET, "key", values)
    over = found["key" + beside.OVER_FLOOR]
    expected = estimates.mean(each)
    width = expected.high - expected.low
    assert over.high - over.low == pytest.approx(width, rel=0.15)
    assert over.count == 320


def test_nothing_seen_proves_no_more_than_four_in_n():
    zeros, people = np.zeros(300), np.arange(300)
    found = estimates.paired_difference(zeros, zeros, people)
    assert found.value == 0
    # The upper end of the exact interval (Clopper and Pearson) of 0 of 300.
    exact = binomtest(0, 300).proportion_ci(0.95, method="exact").high
    assert found.high == -found.low == pytest.approx(exact)
    assert np.isnan(estimates.paired_difference(*[np.zeros(0)] * 3).value)
    assert estimates.share(zeros.astype(bool)).high > 3 / 300


def test_what_leaks_is_more_than_the_floor_and_what_does_not_is_not(leaking):
    safe = inputs_of(photos(5, 0.3), photos(4, 0.3))
    for metric, key in (
        (verification.METRIC, verification.tar_key(1e-2, MOBILEFACENET)),
        (self_reidentification.METRIC, self_reidentification.own_key(MOBILEFACENET)),
        (identification.RANK_ONE, f"rank_one_{MOBILEFACENET}"),
        (identification.PARROT, f"parrot_{MOBILEFACENET}"),
        (verification.AREA, f"auc_{MOBILEFACENET}"),
        (linkage.METRIC, f"linkage_ari_{MOBILEFACENET}"),
    ):
        found = metric.measure(leaking)
        over, floor = found[key + beside.OVER_FLOOR], found[key + beside.FLOOR]
        assert over.value == pytest.approx(found[key].value - floor.value), key
        assert np.nanmin([over.low, over.value]) > 0, key
        over = metric.measure(safe)[key + beside.OVER_FLOOR]
        assert np.nanmin([over.low, over.value]) < 0.03, key
        assert np.nanmax([over.high, over.value]) > -0.03, key
        alone = metric.measure(dataclasses.replace(leaking, floor=None))
        assert alone[key].value == found[key].value
        assert not any(k.endswith((beside.FLOOR, beside.OVER_FLOOR)) for k in alone)


def test_the_parrot_looks_among_results_alone(leaking):
    made = leaking.results.embeddings[MOBILEFACENET]
    key = f"parrot_{MOBILEFACENET}"
    found = identification.PARROT.measure(leaking)[key]
    hits = []
    for name in made:
        others = [n for n in made if n != name]
        nearest = min(others, key=lambda n: np.linalg.norm(made[n] - made[name]))
        hits.append(nearest.split("/")[0] == name.split("/")[0])
    assert found.value == pytest.approx(np.mean(hits))


def test_clusters_of_results_are_compared_with_people(leaking):
    clear = photos(6, 9.0)
    found = linkage.clusters(clear)
    owners = [name.split("/")[0] for name in found]
    assert adjusted_rand_score(owners, list(found.values())) > 0.99
    noise = linkage.clusters(photos(7, 0.0))
    assert abs(adjusted_rand_score(owners, list(noise.values()))) < 0.05
    key = f"linkage_ari_{MOBILEFACENET}"
    assert linkage.METRIC.measure(inputs_of(clear, clear))[key].value > 0.99


def test_a_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(2).normal(size=50)
    found = estimates.jackknife(lambda kept: values[kept].mean(), np.arange(50))
    expected = estimates.mean(values)
    assert found.low == pytest.approx(expected.low)
    assert found.high == pytest.approx(expected.high)
    both = np.stack([np.arange(50), 50 + np.arange(50)], 1)  # each in one pair
    pairs = estimates.jackknife(lambda kept: values[kept].mean(), both)
    assert pairs.high - pairs.value > found.high - found.value


def test_a_fitted_head_sees_what_the_recogniser_alone_does_not():
    rng = np.random.default_rng(8)
    known, turned = photos(2, 3.0), {}
    for name, vector in known.items():
        # A method that moves all faces alike, and at random in a few directions.
        noise = np.concatenate([0.3 * rng.normal(size=6), np.zeros(SIZE - 6)])
        vector = vector + noise + np.full(SIZE, 0.3)
        turned[name] = vector / np.linalg.norm(vector)
    inputs = inputs_of(turned, photos(4, 0.0))
    plain = verification.METRIC.measure(inputs)
    fitted = fine_tuned.METRIC.measure(inputs)
    before = plain[verification.tar_key(1e-2, MOBILEFACENET)].value
    assert fitted[fine_tuned.KEY].value > before + 0.2
    assert fitted[fine_tuned.KEY + beside.FLOOR].value < 0.06
    assert fitted[fine_tuned.KEY + beside.OVER_FLOOR].low > 0


def test_a_head_is_tested_on_people_whom_it_has_not_seen(monkeypatch):
    fitted, tested = [], []

    def fit(originals, results, people, shrinkage, fit=fine_tuned.fit):
        fitted.append((fit(originals, results, people, shrinkage), set(people)))
        return fitted[-1][0]

    def accepted(head, originals, results, accepted=fine_tuned._accepted):
        (seen,) = [people for known, people in fitted if known is head]
        for embeddings in (originals, results):
            assert seen.isdisjoint({name.split("/")[0] for name in embeddings})
        tested.append(set(originals))
        return accepted(head, originals, results)

    monkeypatch.setattr(fine_tuned, "fit", fit)
    monkeypatch.setattr(fine_tuned, "_accepted", accepted)
    known, made = photos(2, 3.0), photos(3, 0.5)
    known["stranger"] = -known["p00/0"]
    values = fine_tuned.accepted(known, made)
    assert len(values) == len(made)
    assert sum("stranger" in names for names in tested) == 2
    few = {name: known[name] for name in made if name < "p30"}
    assert fine_tuned.accepted(few, few) == {}


def test_the_attacker_takes_the_shrinkage_that_serves_best():
    known, made = photos(2, 3.0), photos(3, 1.0)
    rng = np.random.default_rng(9)
    loud = np.zeros(SIZE)
    loud[:3] = 1
    noisy = {name: e + loud * rng.normal(size=SIZE) for name, e in made.items()}
    shares = []
    for shrinkage in (1.0, 0.1):
        fine = fine_tuned._fitted(known, noisy, shrinkage)
        shares.append(np.mean(list(fine_tuned._accepted(fine, known, noisy).values())))
    assert shares[1] > shares[0] + 0.1
    best = fine_tuned.best_head(known, noisy)
    found = np.mean(list(fine_tuned._accepted(best, known, noisy).values()))
    assert found > shares[0] + 0.1
