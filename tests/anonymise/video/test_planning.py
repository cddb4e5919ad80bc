"""Tracks that end: what is to be done with the face of each."""

import numpy as np
import pytest

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.video.person import SAMPLE_IDENTITY_EVERY, Person
from anonygan_jax.anonymise.video.planning import TrackPlan, plan_track
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.faces.face import Face

INNER = slice(27, 68)  # nose, eyes and mouth


@pytest.fixture(scope="module")
def warp() -> Anonymiser:
    return Anonymiser("warp", consistent="face")


def _plan(warp: Anonymiser, image: np.ndarray, shapes: list[np.ndarray]) -> TrackPlan:
    """The plan of a track of one image, of which landmarks are sampled."""
    person = Person()
    for number, points in enumerate(shapes):
        box = np.concatenate([points.min(0), points.max(0)])
        face, frame = Face(points, box, 1.0), number * SAMPLE_IDENTITY_EVERY
        person.last_seen = frame, frame / 30, face
        person.sample(warp, frame, image, face, [])
    track = Track(0, face, 0, (frame, frame / 30))
    return plan_track(warp, track, person, {}, "a.mp4#0")


def test_profiles_after_the_first_good_view_are_no_samples(warp, embedded):
    image, frontal = embedded[67].image, embedded[67].points_xy
    profile = frontal.copy()
    profile[INNER, 0] += 0.4 * np.ptp(frontal[:, 0])
    alone = _plan(warp, image, [frontal]).source
    mixed = _plan(warp, image, [profile, frontal, profile, profile]).source
    np.testing.assert_array_equal(mixed.attributes, alone.attributes)
    np.testing.assert_array_equal(mixed.descriptor, alone.descriptor)


def test_a_track_that_begins_as_a_profile_is_replaced(warp, embedded):
    """A profile's nose is in front of the line of its jaw: it cannot be cropped."""
    image, frontal = embedded[67].image, embedded[67].points_xy  # unlike the bank
    profile = frontal.copy()
    profile[INNER, 0] += 0.4 * np.ptp(frontal[:, 0])
    plan = _plan(warp, image, [profile] * 4 + [frontal])
    assert plan.reason is None
    assert plan.replacement is not None
    plan = _plan(warp, image, [profile] * 5)
    assert plan.replacement is None
    assert "a profile" in plan.reason
