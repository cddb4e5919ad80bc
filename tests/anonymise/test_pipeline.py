"""Pieces of the anonymiser."""

import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.anonymise import conditions, pipeline
from anonygan_jax.data.descriptors import DlibDescriptor
from anonygan_jax.data.landmarks import DlibLandmarks, Face
from anonygan_jax.methods import make_method


def test_feathering_never_lets_the_face_through():
    mask = np.zeros((40, 30), np.float32)
    mask[10:30, 8:22] = 1
    alpha = pipeline.feather(mask)
    assert (alpha[mask == 1] == 1).all()
    assert alpha[0].max() == 0
    assert 0 < alpha[9, 15] < 1 or alpha[9, 15] == 1


def test_not_finite_outputs_are_refused(group_photo, tiny_run):
    method = make_method("anonygan", str(tiny_run))
    bias = method._variables["params"]["decoder_image"]["bias"]
    method._variables["params"]["decoder_image"]["bias"] = bias * jnp.nan
    anonymiser = pipeline.Anonymiser(method, "auto")
    result, reports = anonymiser(group_photo)
    assert [r.covered_because for r in reports] == [
        "the generator gave numbers that are not finite"
    ] * 2
    assert DlibLandmarks().detect(result, num_upsamples=1) == []


def test_faces_at_the_edge_and_outside_are_covered_without_error():
    photo = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    for low in (-20, 45, 300):
        before = photo.copy()
        points = np.full((68, 2), np.nan, np.float32)
        box = np.array([low, low, low + 30, low + 30], np.float32)
        pipeline.cover_face(before, Face(points, box, 1.0))
        changed = (before != photo).any()
        assert changed == (low < 60)


def test_conditions_fit_the_source_and_depend_on_the_seed_alone(embedded):
    bank = conditions.Conditions(embedded, DlibDescriptor())
    target = embedded[7]
    nobody = np.full(128, 1.0, np.float32)  # far from everybody
    arguments = (target.points_xy, nobody)
    chosen = {bank.choose(*arguments, str(seed)) for seed in range(60)}
    assert 2 <= len(chosen) <= conditions.NUM_BEST
    assert 7 in chosen  # its own shape fits best
    assert len({embedded[i].identity for i in chosen}) == len(chosen)
    assert bank.choose(*arguments, "x") == bank.choose(*arguments, "x")


def test_people_who_resemble_the_source_are_passed_over(embedded):
    describe = DlibDescriptor()
    bank = conditions.Conditions(embedded, describe)
    target = embedded[7]
    descriptor = describe(target.image, target.points_xy)
    for seed in range(10):
        face = embedded[bank.choose(target.points_xy, descriptor, str(seed))]
        other = describe(face.image, face.points_xy)
        assert np.linalg.norm(other - descriptor) >= conditions.STRANGER
    with pytest.raises(conditions.NoConditionError, match="resembles"):
        conditions.Conditions([target], describe).choose(
            target.points_xy, descriptor, "x"
        )


def test_a_photo_without_a_face_is_an_error():
    anonymiser = pipeline.Anonymiser(make_method("blackout"))
    with pytest.raises(pipeline.NoFaceError, match="64x48"):
        anonymiser(np.zeros((48, 64, 3), np.uint8))


def test_crops_keep_the_photos_resolution(embedded):
    points = embedded[0].points_xy
    assert pipeline.native_size(points) == (436, 356)  # a little finer than CelebA's
    assert pipeline.native_size(points * 0.4) == (109, 89)
    assert pipeline.native_size(points * 100) == (872, 712)
