"""Which condition is chosen for a source."""

import numpy as np
import pytest

from anonygan_jax.anonymise.conditions.selector import (
    NUM_BEST,
    STRANGER,
    Conditions,
    NoConditionError,
    People,
    Source,
)
from anonygan_jax.composites.attributes import SCALES, trait_distance
from anonygan_jax.composites.bank import Bank
from anonygan_jax.composites.demographics import Groups

NUM_PEOPLE = 30


@pytest.fixture
def bank() -> Bank:
    """Thirty people with a shut and an open mouth, told apart by random descriptors."""
    rng = np.random.default_rng(0)
    people = [f"p{i // 2}" for i in range(2 * NUM_PEOPLE)]
    traits = rng.normal(size=(2 * NUM_PEOPLE, 7)).astype(np.float32) * 0.3 * SCALES
    traits[:, 2] = np.arange(2 * NUM_PEOPLE) % 2
    descriptors = np.repeat(rng.normal(size=(NUM_PEOPLE, 128)) * 0.1, 2, axis=0)
    shares = np.repeat(np.eye(2)[np.arange(NUM_PEOPLE) % 2], 2, axis=0)
    mapping = np.zeros((129, 2), np.float32)
    mapping[128, 0] = 1  # every source looks like the first group
    return Bank(
        attribution="",
        people=people,
        files=[f"{person}_{i % 2}.jpg" for i, person in enumerate(people)],
        points_xy=np.zeros((2 * NUM_PEOPLE, 68, 2), np.float32),
        traits=traits,
        descriptors=descriptors.astype(np.float32),
        group_shares=shares.astype(np.float32),
        groups=Groups(("first", "second"), mapping),
        nearest_donor={},
        image=lambda number: np.full((4, 3, 3), number, np.uint8),
    )


@pytest.fixture
def source(bank) -> Source:
    return Source(bank.traits[14], np.full(128, 1.0, np.float32))


def test_the_best_fitting_people_are_drawn_by_the_seed_alone(bank, source):
    conditions = Conditions(bank, match_group=False)
    chosen = [conditions.choose(source, str(seed)) for seed in range(200)]
    people = {choice.person for choice in chosen}
    assert len(people) == NUM_BEST
    assert "p7" in people
    unlike = trait_distance(bank.traits, source.traits)
    best = np.sort([unlike[bank.people.index(p) :][:2].min() for p in set(bank.people)])
    assert max(unlike[c.number] for c in chosen) == pytest.approx(best[NUM_BEST - 1])
    assert conditions.choose(source, "x") == conditions.choose(source, "x")


def test_the_open_mouth_is_taken_for_an_open_mouth(bank, source):
    conditions = Conditions(bank, match_group=False)
    traits = source.traits.copy()
    for openness in (0.0, 1.0):
        traits[2] = openness
        choice = conditions.choose_of("p3", Source(traits, source.descriptor))
        assert choice is not None
        assert (choice.person, bank.traits[choice.number, 2]) == ("p3", openness)


def test_the_group_is_matched_unless_told_otherwise(bank, source):
    seeds = [str(seed) for seed in range(50)]
    matched = {Conditions(bank).choose(source, s).number for s in seeds}
    assert {bank.group_shares[n].argmax() for n in matched} == {0}
    free = {Conditions(bank, match_group=False).choose(source, s).number for s in seeds}
    assert {bank.group_shares[n].argmax() for n in free} == {0, 1}


def test_people_who_resemble_the_source_are_never_used(bank):
    conditions = Conditions(bank)
    source = Source(bank.traits[14], bank.descriptors[14])
    apart = np.linalg.norm(bank.descriptors - source.descriptor, axis=-1)
    assert (apart < STRANGER).sum() >= 2
    for seed in range(30):
        assert apart[conditions.choose(source, str(seed)).number] >= STRANGER
    assert conditions.choose_of("p7", source) is None
    everybody = frozenset(bank.people)
    with pytest.raises(NoConditionError, match="every condition resembles"):
        conditions.choose(source, "x", everybody)
    left = conditions.choose(source, "x", everybody - {"p3"})
    assert left.person == "p3"


def test_distinct_people_are_those_who_look_most_different(bank, source):
    conditions = Conditions(bank, match_group=False)
    apart = np.linalg.norm(bank.descriptors - bank.descriptors[14], axis=-1)
    source = Source(source.traits, bank.descriptors[14])
    chosen = {conditions.choose(source, str(s), distinct=True).person for s in range(9)}
    farthest = np.argsort(-apart)[: 2 * NUM_PEOPLE // 2]
    assert chosen <= {bank.people[n] for n in farthest}


def test_unknown_traits_do_not_matter(bank, source):
    traits = source.traits.copy()
    traits[4:] = np.nan
    unlike = trait_distance(bank.traits, traits)
    expected = np.abs(bank.traits - source.traits)[:, :4] / SCALES[:4]
    np.testing.assert_allclose(unlike, expected.sum(-1), rtol=1e-5)


def test_people_are_remembered_by_their_looks():
    people, rng = People(), np.random.default_rng(0)
    anna, bob = rng.normal(size=(2, 128)) * 0.1
    assert people.recall(anna) is None
    people.remember(anna, "p1")
    people.remember(bob, "p2")
    assert people.recall(bob + 0.01) == "p2"
    assert people.recall(anna - 0.01) == "p1"
    assert people.recall(anna + 1) is None


def test_a_face_is_read_when_it_is_asked_for(bank):
    face = Conditions(bank).get(5)
    assert face.images.shape == (1, 4, 3, 3)
    assert face.images.max() == 5
