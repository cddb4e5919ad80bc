"""Which condition a person keeps, compared with all distances by numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.anonymise.conditions.memory import IdentityMemory
from anonygan_jax.recognition.thresholds import SAME_PERSON


def _descriptors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Descriptors of length about 1.4, as dlib's."""
    return (rng.normal(size=(count, 128)) * 1.4 / 128**0.5).astype(np.float32)


def test_people_are_remembered_by_their_descriptors():
    memory, rng = IdentityMemory(), np.random.default_rng(0)
    anna, bob = _descriptors(rng, 2)
    assert memory.recall(anna) is None
    memory.remember(anna, "p1")
    memory.remember(bob, "p2")
    assert memory.recall(bob + 0.01) == "p2"
    assert memory.recall(anna - 0.01) == "p1"
    assert memory.recall(anna + 1) is None


@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 300),  # more than the first array has
    apart=st.sampled_from([0.0, 1e-7, 1e-4, 0.03, 0.05, 0.06]),
    offset=st.sampled_from([0.0, 30.0]),  # the rounding error grows with the length
)
def test_the_nearest_is_found_as_by_all_exact_distances(seed, count, apart, offset):
    rng = np.random.default_rng(seed)
    # Some sources are copies, some differ by less than float32 products can tell.
    known = _descriptors(rng, count)[rng.integers(0, count, count)] + np.float32(offset)
    known += (1e-7 * rng.normal(size=known.shape)).astype(np.float32)
    memory = IdentityMemory()
    for number, descriptor in enumerate(known):
        memory.remember(descriptor, str(number))
    for _ in range(5):
        query = known[rng.integers(count)] + np.float32(apart) * _descriptors(rng, 1)[0]
        query = query + (apart * rng.normal(size=128)).astype(np.float32)
        distances = np.linalg.norm(known - query, axis=-1)
        nearest = int(np.argmin(distances))
        is_same = distances[nearest] < SAME_PERSON
        assert memory.recall(query) == (str(nearest) if is_same else None)


@pytest.mark.parametrize("factor", [0.999, 1.001])
def test_the_threshold_decides_who_is_the_same_person(factor):
    memory = IdentityMemory()
    anna = _descriptors(np.random.default_rng(0), 1)[0]
    away = np.zeros(128, np.float32)
    away[0] = SAME_PERSON * factor
    memory.remember(anna, "p1")
    assert memory.recall(anna + away) == ("p1" if factor < 1 else None)


@given(
    seed=st.integers(0, 1000),
    block=st.integers(1, 40),
    offset=st.sampled_from([0.0, 30.0]),
)
def test_many_that_are_compared_ahead_get_the_same(seed, block, offset):
    rng = np.random.default_rng(seed)
    people = _descriptors(rng, 30) + np.float32(offset)
    seen = people[rng.integers(0, 30, 80)]  # some again, some as copies
    seen += (rng.choice([0, 1e-7, 0.02], (80, 1)) * rng.normal(size=seen.shape)).astype(
        np.float32
    )
    one, many = IdentityMemory(), IdentityMemory()
    for start in range(0, len(seen), block):
        some = seen[start : start + block]
        many.compare_ahead(some)
        for number, descriptor in enumerate(some):
            known = one.recall(descriptor)
            assert many.recall(descriptor) == known
            if known is None or rng.random() < 0.1:
                for memory in (one, many):
                    memory.remember(descriptor, f"{start + number}")
