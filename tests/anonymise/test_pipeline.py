"""Pieces of the anonymiser."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from anonygan_jax.anonymise import hiding, pipeline
from anonygan_jax.data.landmarks import DlibLandmarks, Face
from anonygan_jax.methods import Faces, make_method


def test_feathering_never_lets_the_face_through():
    mask = np.zeros((40, 30), np.float32)
    mask[10:30, 8:22] = 1
    alpha = hiding.feather(mask)
    assert (alpha[mask == 1] == 1).all()
    assert alpha[0].max() == 0
    assert 0 < alpha[9, 15] < 1 or alpha[9, 15] == 1


def test_not_finite_outputs_are_refused(group_photo, tiny_run):
    method = make_method("anonygan", str(tiny_run))
    bias = method._generator._variables["params"]["decoder_image"]["bias"]
    method._generator._variables["params"]["decoder_image"]["bias"] = bias * jnp.nan
    result = pipeline.Anonymiser(method)(group_photo)
    assert [r.because for r in result.faces] == [
        "the generator gave numbers that are not finite"
    ] * 2
    assert DlibLandmarks().detect(result.image, num_upsamples=1) == []


def test_faces_at_the_edge_and_outside_are_covered_without_error():
    photo = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    for low in (-20, 45, 300):
        before = photo.copy()
        points = np.full((68, 2), np.nan, np.float32)
        box = np.array([low, low, low + 30, low + 30], np.float32)
        hiding.cover_face(before, Face(points, box, 1.0))
        changed = (before != photo).any()
        assert changed == (low < 60)


class Returning:
    """A method that gives back sources or conditions untouched."""

    uses_conditions = True
    crop_size = (220, 180)

    def __init__(self, what: str) -> None:
        self.what, self.calls = what, 0

    def __call__(self, faces: Faces, conditions: Faces | None) -> np.ndarray:
        self.calls += 1
        if self.what == "source":
            return faces.images
        assert conditions is not None
        return np.stack([cv2.resize(i, (180, 220)) for i in conditions.images])


def test_results_that_look_like_the_source_are_made_anew_then_covered(group_photo):
    method = Returning("source")
    result = pipeline.Anonymiser(method)(group_photo)
    assert method.calls == 2 * hiding.MAX_ATTEMPTS
    for report in result.faces:
        assert report.verdict == "covered"
        assert report.because == "5 results looked like the source"
        assert report.condition is None
    assert DlibLandmarks().detect(result.image, num_upsamples=1) == []


def test_reports_tell_the_condition_and_how_far_the_result_is(group_photo):
    result = pipeline.Anonymiser(Returning("condition"))(group_photo)
    assert len(result.faces) == 2
    for report in result.faces:
        assert report.verdict == "replaced"
        assert report.condition is not None
        assert report.condition.startswith("person_")
        assert report.descriptor_distance is not None
        assert report.descriptor_distance >= hiding.LOOKS_ALIKE


def test_a_person_keeps_one_face_unless_told_otherwise(group_photo):
    def people_used(consistent: str) -> list[set[str]]:
        anonymiser = pipeline.Anonymiser(Returning("condition"), consistent=consistent)
        used: list[set[str]] = [set(), set()]
        for photo in range(6):
            result = anonymiser(group_photo, seed=f"photo{photo}")
            for number, report in enumerate(result.faces):
                used[number].add((report.condition or "covered")[:10])
        return used

    for used in people_used("person"):
        assert len(used) == 1
    for used in people_used("face"):
        assert len(used) > 1


def test_a_photo_without_a_face_is_an_error():
    anonymiser = pipeline.Anonymiser(make_method("blackout"))
    with pytest.raises(pipeline.NoFaceError, match="64x48"):
        anonymiser(np.zeros((48, 64, 3), np.uint8))


def test_crops_keep_the_photos_resolution(embedded):
    points = embedded[0].points_xy
    assert hiding.native_size(points) == (436, 356)  # a little finer than CelebA's
    assert hiding.native_size(points * 0.4) == (109, 89)
    assert hiding.native_size(points * 100) == (872, 712)
