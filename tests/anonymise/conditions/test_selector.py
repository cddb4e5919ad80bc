"""Which condition is chosen for a source."""

import numpy as np
import pytest

from anonygan_jax.anonymise.conditions.bank_selector import NUM_BEST, BankSelector
from anonygan_jax.anonymise.conditions.selector import NoConditionError, Source
from anonygan_jax.composites.attributes import SCALES, attribute_distance
from anonygan_jax.composites.bank import Bank
from anonygan_jax.composites.demographics import Demographics
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET
from anonygan_jax.recognition.thresholds import MIN_CONDITION_DISTANCES

NUM_PEOPLE = 30


@pytest.fixture
def bank() -> Bank:
    """Thirty people with a shut and an open mouth, told apart by random descriptors."""
    rng = np.random.default_rng(0)
    people = [f"p{i // 2}" for i in range(2 * NUM_PEOPLE)]
    attributes = rng.normal(size=(2 * NUM_PEOPLE, 7)).astype(np.float32) * 0.3 * SCALES
    attributes[:, 2] = np.arange(2 * NUM_PEOPLE) % 2
    descriptors = np.repeat(rng.normal(size=(NUM_PEOPLE, 128)) * 0.1, 2, axis=0)
    unit = np.eye(192)[:NUM_PEOPLE]  # all as far from each other
    shares = np.repeat(np.eye(2)[np.arange(NUM_PEOPLE) % 2], 2, axis=0)
    mapping = np.zeros((129, 2), np.float32)
    mapping[128, 0] = 1  # every source looks like the first group
    return Bank(
        attribution="",
        people=people,
        files=[f"{person}_{i % 2}.jpg" for i, person in enumerate(people)],
        points_xy=np.zeros((2 * NUM_PEOPLE, 68, 2), np.float32),
        attributes=attributes,
        descriptors={
            DLIB: descriptors.astype(np.float32),
            MOBILEFACENET: np.repeat(unit, 2, axis=0).astype(np.float32),
        },
        demographic_shares=shares.astype(np.float32),
        demographics=Demographics(("first", "second"), mapping),
        nearest_donor={},
        image=lambda number: np.full((4, 3, 3), number, np.uint8),
    )


@pytest.fixture
def source(bank) -> Source:
    return Source(bank.attributes[14], {DLIB: np.full(128, 1.0, np.float32)})


def test_the_best_fitting_people_are_drawn_by_the_seed_alone(bank, source):
    conditions = BankSelector(bank, match_group=False)
    chosen = [conditions.select(source, str(seed)) for seed in range(200)]
    people = {choice.person for choice in chosen}
    assert len(people) == NUM_BEST
    assert "p7" in people
    unlike = attribute_distance(bank.attributes, source.attributes)
    best = np.sort([unlike[bank.people.index(p) :][:2].min() for p in set(bank.people)])
    assert max(unlike[c.number] for c in chosen) == pytest.approx(best[NUM_BEST - 1])
    assert conditions.select(source, "x") == conditions.select(source, "x")


def test_the_open_mouth_is_taken_for_an_open_mouth(bank, source):
    conditions = BankSelector(bank, match_group=False)
    attributes = source.attributes.copy()
    for openness in (0.0, 1.0):
        attributes[2] = openness
        choice = conditions.best_face_of("p3", Source(attributes, source.descriptors))
        assert choice is not None
        assert (choice.person, bank.attributes[choice.number, 2]) == ("p3", openness)


def test_the_group_is_matched_unless_told_otherwise(bank, source):
    seeds = [str(seed) for seed in range(50)]
    matched = {BankSelector(bank).select(source, s).number for s in seeds}
    assert {bank.demographic_shares[n].argmax() for n in matched} == {0}
    free = {
        BankSelector(bank, match_group=False).select(source, s).number for s in seeds
    }
    assert {bank.demographic_shares[n].argmax() for n in free} == {0, 1}


def test_people_who_resemble_the_source_are_never_used(bank):
    conditions = BankSelector(bank)
    source = Source(bank.attributes[14], {DLIB: bank.descriptors[DLIB][14]})
    apart = np.linalg.norm(bank.descriptors[DLIB] - source.descriptor, axis=-1)
    assert (apart < MIN_CONDITION_DISTANCES[DLIB]).sum() >= 2
    for seed in range(30):
        number = conditions.select(source, str(seed)).number
        assert apart[number] >= MIN_CONDITION_DISTANCES[DLIB]
    assert conditions.best_face_of("p7", source) is None
    everybody = frozenset(bank.people)
    with pytest.raises(NoConditionError, match="every condition resembles"):
        conditions.select(source, "x", everybody)
    left = conditions.select(source, "x", everybody - {"p3"})
    assert left.person == "p3"


def test_people_who_resemble_the_source_for_one_recogniser_are_never_used(bank):
    conditions = BankSelector(bank)
    far = np.full(128, 1.0, np.float32)
    near = bank.descriptors[MOBILEFACENET][14]
    source = Source(bank.attributes[14], {DLIB: far, MOBILEFACENET: near})
    chosen = {conditions.select(source, str(seed)).person for seed in range(60)}
    assert "p7" not in chosen
    assert conditions.best_face_of("p7", source) is None
    source = Source(bank.attributes[14], {DLIB: far, MOBILEFACENET: -near})
    assert conditions.best_face_of("p7", source) is not None


def test_dissimilar_people_are_preferred_on_demand(bank, source):
    conditions = BankSelector(bank, match_group=False)
    apart = np.linalg.norm(bank.descriptors[DLIB] - bank.descriptors[DLIB][14], axis=-1)
    source = Source(source.attributes, {DLIB: bank.descriptors[DLIB][14]})
    chosen = {
        conditions.select(source, str(s), prefer_dissimilar=True).person
        for s in range(9)
    }
    farthest = np.argsort(-apart)[: 2 * NUM_PEOPLE // 2]
    assert chosen <= {bank.people[n] for n in farthest}


def test_unknown_attributes_do_not_matter(bank, source):
    attributes = source.attributes.copy()
    attributes[4:] = np.nan
    unlike = attribute_distance(bank.attributes, attributes)
    expected = np.abs(bank.attributes - source.attributes)[:, :4] / SCALES[:4]
    np.testing.assert_allclose(unlike, expected.sum(-1), rtol=1e-5)


def test_a_face_is_read_when_it_is_asked_for(bank):
    face = BankSelector(bank).get(5)
    assert face.images.shape == (1, 4, 3, 3)
    assert face.images.max() == 5
