"""Properties of the pairs that training sees."""

import dataclasses
import hashlib

import chex
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.data.config import PairConfig
from anonygan_jax.data.pairs import PairSampler, is_held_out

PEOPLE = [name for number, name in enumerate("abcdef") for _ in range(number + 1)]
PAPER = PairConfig(0.75, "same_identity", "other_identity", 2)


@given(seed=st.integers(0, 99), step=st.integers(0, 10_000), size=st.integers(1, 40))
def test_pairs_are_what_they_are_called(seed, step, size):
    pairs = PairSampler(PEOPLE, PAPER, size, seed).batch(step)
    names = np.array(PEOPLE)
    same = names[pairs.condition] == names[pairs.source]
    np.testing.assert_array_equal(same, pairs.is_supervised)
    assert (pairs.condition != pairs.source).all()
    assert (names[pairs.source] != "a").all()  # has one photo only


@given(seed=st.integers(0, 99), step=st.integers(0, 500))
def test_a_batch_depends_on_seed_and_step_alone(seed, step):
    first = PairSampler(PEOPLE, PAPER, 8, seed)
    first.batch(step + 3)
    second = PairSampler(PEOPLE, PAPER, 8, seed)
    chex.assert_trees_all_equal(
        *(dataclasses.astuple(sampler.batch(step)) for sampler in (first, second))
    )


@given(seed=st.integers(0, 20), size=st.integers(1, 30))
def test_every_photo_is_a_source_once_a_pass(seed, size):
    sampler = PairSampler(PEOPLE, PAPER, size, seed)
    steps = -(-2 * sampler.num_photos // size)
    sources = np.concatenate([sampler.batch(step).source for step in range(steps)])
    for number in range(2):
        one_pass = sources[number * sampler.num_photos :][: sampler.num_photos]
        assert sorted(one_pass) == list(range(1, len(PEOPLE)))


def test_supervised_share_and_uniform_conditions():
    sampler = PairSampler(PEOPLE, PAPER, 6000, 0)
    pairs = sampler.batch(0)
    assert abs(pairs.is_supervised.mean() - 0.75) < 0.02
    names = np.array(PEOPLE)
    others = pairs.condition[~pairs.is_supervised & (names[pairs.source] == "f")]
    shares = np.bincount(others, minlength=len(PEOPLE))[1:15] / len(others)
    np.testing.assert_allclose(shares, 1 / 14, atol=0.04)


def test_source_as_its_own_condition():
    config = PairConfig(1.0, "source", "other_identity", 1)
    pairs = PairSampler(PEOPLE, config, 50, 0).batch(0)
    np.testing.assert_array_equal(pairs.condition, pairs.source)


@pytest.mark.parametrize(
    "fields",
    [
        (1.5, "source", "other_identity", 1),
        (0.5, "nobody", "other_identity", 1),
        (0.5, "source", "nobody", 1),
        (0.5, "source", "same_identity", 1),
    ],
)
def test_wrong_settings_are_refused(fields):
    with pytest.raises(ValueError, match=r"is|unknown|need"):
        PairConfig(*fields)


def test_too_few_people_are_refused():
    with pytest.raises(ValueError, match="0 of 2 people have at least 30 photos"):
        PairSampler(
            ["a", "a", "b"],
            dataclasses.replace(PAPER, min_photos_per_identity=30),
            2,
            0,
        )


@given(share=st.floats(0.05, 0.95), seed=st.integers(0, 9))
def test_held_out_people_are_never_seen(share, seed):
    people = [f"person {number % 40}" for number in range(120)]
    config = dataclasses.replace(PAPER, held_out_share=share)
    left = [name for name in set(people) if not is_held_out(name, share)]
    if len(left) < 2:
        return
    pairs = PairSampler(people, config, 60, seed).batch(0)
    seen = {people[i] for i in (*pairs.source, *pairs.condition)}
    assert seen <= set(left)


def test_the_rule_of_holding_out():
    # printf 'Ann Lee' | sha256sum begins with these digits.
    digits = hashlib.sha256(b"Ann Lee").hexdigest()[:8]
    at = int(digits, 16) / 16**8
    assert is_held_out("Ann Lee", at + 1e-6)
    assert not is_held_out("Ann Lee", at - 1e-6)


def test_composites_are_conditions_only_and_candidates_are_alike():
    people = [*PEOPLE, *(["composite"] * 10)]
    rng = np.random.default_rng(0)
    points = rng.normal(size=(len(people), 68, 2))
    config = PairConfig(0.0, "same_identity", "other_identity", 1, 0.0, 0.5, 8)
    pairs = PairSampler(people, config, 600, 0, points, 10).batch(0)
    names = np.array(people)
    assert (names[pairs.source] != "composite").all()
    assert abs((names[pairs.condition] == "composite").mean() - 0.5) < 0.08
    apart = np.linalg.norm(points[pairs.condition] - points[pairs.source], axis=-1)
    alone = dataclasses.replace(config, num_candidates=1)
    first = PairSampler(people, alone, 600, 0, points, 10).batch(0)
    drawn = np.linalg.norm(points[first.condition] - points[first.source], axis=-1)
    assert apart.mean() < drawn.mean()


def test_people_with_one_photo_get_other_conditions():
    config = PairConfig(1.0, "same_identity", "other_identity", 1)
    pairs = PairSampler(PEOPLE, config, 300, 0).batch(0)
    names = np.array(PEOPLE)
    single = names[pairs.source] == "a"
    assert single.any()
    np.testing.assert_array_equal(pairs.is_supervised, ~single)
    assert (names[pairs.condition[single]] != "a").all()


def test_who_is_paired_has_a_number_without_gaps():
    people = [*PEOPLE, *(["composite"] * 10)]
    config = PairConfig(0.5, "same_identity", "other_identity", 3, 0.0, 0.3)
    sampler = PairSampler(people, config, 400, 0, num_composites=10)
    pairs = sampler.batch(0)
    assert sampler.num_people == 4  # a and b have too few photos
    wanted = [
        {"composite": -1}.get(people[n], "cdef".find(people[n]))
        for n in pairs.condition
    ]
    np.testing.assert_array_equal(pairs.condition_person, wanted)
    assert set(wanted) == {-1, 0, 1, 2, 3}
