"""Pieces of the anonymiser."""

import concurrent.futures
import dataclasses
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from returning import Returning

import anonygan_jax
from anonygan_jax.anonymise import crop, fallback, replace
from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.identity_check import passes
from anonygan_jax.anonymise.replace import FaceReplacer
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import blending
from anonygan_jax.faces.face import Face
from anonygan_jax.faces.masks import FACE_CONTOUR, PAPER_POLYGON, face_mask
from anonygan_jax.methods import make_methods
from anonygan_jax.methods.blur import Blur
from anonygan_jax.methods.method import Faces
from anonygan_jax.methods.warp import Warp


def test_feathering_never_lets_the_face_through():
    mask = np.zeros((40, 30), np.float32)
    mask[10:30, 8:22] = 1
    points = np.zeros((1, 68, 2), np.float32)
    points[0, 16] = 14, 0
    faces = Faces(np.zeros((1, 40, 30, 3), np.uint8), points, mask[None])
    alpha = crop.feather(faces)
    assert (alpha[mask == 1] == 1).all()
    assert alpha[0].max() == 0
    assert (alpha[blending.feather_alpha(mask, points[0]) > 0] == 1).all()
    assert 0 < alpha[6, 15] < 1


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("pixelate", PAPER_POLYGON),
        ("warp", FACE_CONTOUR),
        ("anonygan", FACE_CONTOUR),
        ("auto", FACE_CONTOUR),
    ],
)
def test_warped_faces_get_the_contour_and_obfuscated_ones_the_polygon(
    name, region, embedded
):
    method = make_methods(name)[0]
    points = embedded[0].points_xy
    box = np.array([0, 0, 180, 220], np.float32)
    faces = crop.crop_face(embedded[0].image, Face(points, box, 1.0), method).faces
    size = faces.images.shape[1:3]
    expected = face_mask(faces.points_xy, size, region)
    np.testing.assert_array_equal(faces.masks, expected)


def test_not_finite_outputs_are_refused(group_photo, tiny_run):
    (method,) = make_methods("anonygan", str(tiny_run))
    layer = method.generator.draw.variables["params"]["decoder_image"]
    layer["bias"] = layer["bias"] * jnp.nan
    result = Anonymiser(method)(group_photo)
    assert [r.reason for r in result.faces] == [
        "the generator gave numbers that are not finite"
    ] * 2
    assert DlibLandmarks().detect(result.image, num_upsamples=1) == []


def test_faces_at_the_edge_and_outside_are_pixelated_without_error():
    photo = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    for low in (-20, 45, 300):
        before = photo.copy()
        points = np.full((68, 2), np.nan, np.float32)
        box = np.array([low, low, low + 30, low + 30], np.float32)
        fallback.pixelate_face(before, Face(points, box, 1.0))
        changed = (before != photo).any()
        assert changed == (low < 60)


def test_results_that_look_like_the_source_are_rejected_then_pixelated(group_photo):
    method = Returning("source")
    result = Anonymiser(method)(group_photo)
    # Twice each: when a face is found, and when the photo is made.
    assert method.calls == 4 * replace.MAX_CONDITIONS
    for report in result.faces:
        assert report.status == "pixelated"
        assert report.reason == "5 results looked like the source"
        assert report.condition is None
    assert DlibLandmarks().detect(result.image, num_upsamples=1) == []


@pytest.fixture
def tries(monkeypatch) -> list[Face]:
    """The faces whose replacements are searched and verified, from now on."""
    faces: list[Face] = []
    best = FaceReplacer.best

    def noted(self, views, *others):
        faces.append(views[0][1])
        return best(self, views, *others)

    monkeypatch.setattr(FaceReplacer, "best", noted)
    return faces


def test_what_was_verified_where_a_face_was_found_is_not_verified_again(
    group_photo, tries
):
    anonymiser = Anonymiser(Returning("condition"))
    plans = anonymiser.plan(anonymiser.find(group_photo))
    assert len(tries) == 2
    result = anonymiser.render(group_photo, plans)
    assert len(tries) == 2
    for plan, report in zip(plans, result.faces, strict=True):
        face, source = plan.found.face, plan.found.source
        seen = anonymiser.check.distances(result.image, face, source.descriptors)
        assert report.distances == pytest.approx(seen, abs=1e-5)
        assert report.condition == plan.found.suggested.condition.name


def test_a_face_that_another_one_changed_is_verified_again(group_photo, tries):
    anonymiser = Anonymiser(Returning("condition"))
    plan = anonymiser.plan(anonymiser.find(group_photo))[0]
    face = plan.found.face
    beside = Face(face.points_xy + 20, face.box_xyxy + 20, face.score)
    found = dataclasses.replace(plan.found, face=beside)
    tries.clear()
    anonymiser.render(group_photo, [plan, dataclasses.replace(plan, found=found)])
    (tried,) = tries
    assert tried is beside


def test_the_next_method_is_tried_for_a_result_that_looks_like_the_source(group_photo):
    alike, unlike = Returning("source"), Returning("condition")
    result = Anonymiser((alike, unlike))(group_photo)
    assert [report.method for report in result.faces] == [unlike.name] * 2
    assert alike.calls >= 2
    # Both are tried where a face is found; the photo gets what was verified there.
    assert unlike.calls == alike.calls + 2
    result = Anonymiser((unlike, alike))(group_photo)
    assert [report.method for report in result.faces] == [unlike.name] * 2
    result = Anonymiser((alike, Returning("source")))(group_photo)
    assert [report.reason for report in result.faces] == [
        "10 results looked like the source"
    ] * 2
    assert [report.method for report in result.faces] == [None] * 2


def test_a_pixelated_box_does_not_hide_the_new_face_beside_it(group_photo):
    anonymiser = Anonymiser("warp")
    left, right = sorted(
        anonymiser.detector(group_photo), key=lambda face: face.box_xyxy[0]
    )
    in_same_frame = left.box_xyxy + [0.7 * np.ptp(left.box_xyxy[::2]), 0] * 2
    alone = Face(np.zeros((0, 2), np.float32), in_same_frame.astype(np.float32), 1.0)
    found = [anonymiser.examine(group_photo, face) for face in (right, left, alone)]
    result = anonymiser.render(group_photo, anonymiser.plan(found))
    statuses = [report.status for report in result.faces]
    assert statuses == ["replaced", "replaced", "pixelated"]
    boxes = [face.box_xyxy for face in DlibLandmarks().detect(result.image, 1)]
    assert len(boxes) == 2


def test_the_highest_scoring_of_overlapping_faces_is_on_top(group_photo):
    anonymiser = Anonymiser("warp")
    best = max(anonymiser.detector(group_photo), key=lambda face: face.score)
    aside = [0.3 * np.ptp(best.box_xyxy[::2]), 0]
    guessed = Face(
        (best.points_xy + aside).astype(np.float32),
        (best.box_xyxy + aside * 2).astype(np.float32),
        best.score - 0.2,
    )
    first, second = (
        anonymiser.render(
            group_photo,
            anonymiser.plan([anonymiser.examine(group_photo, face) for face in faces]),
        )
        for faces in ([best], [best, guessed])
    )
    assert [report.status for report in second.faces] == ["replaced"] * 2
    x, y = np.rint(best.points_xy[30:60]).astype(int).T
    alike = np.corrcoef(first.image[y, x].ravel(), second.image[y, x].ravel())[0, 1]
    assert alike > 0.9  # its colours depend on what is beside it, its features do not


def test_methods_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="returning source: take different crops"):
        Anonymiser((Warp(), Returning("source")))
    with pytest.raises(ValueError, match="only methods that replace faces"):
        Anonymiser((Warp(), Blur()))


def test_reports_tell_the_condition_and_how_far_the_result_is(group_photo):
    result = Anonymiser(Returning("condition"))(group_photo)
    assert len(result.faces) == 2
    for report in result.faces:
        assert report.status == "replaced"
        assert report.condition is not None
        assert report.condition.startswith("person_")
        assert set(report.distances) == set(report.floors) == {"dlib", "mobilefacenet"}
        assert passes(report.distances, report.floors)


def test_a_person_keeps_one_face_unless_told_otherwise(group_photo):
    def people_used(consistent: str) -> list[set[str]]:
        anonymiser = Anonymiser(Returning("condition"), consistent=consistent)
        used: list[set[str]] = [set(), set()]
        for photo in range(4):
            result = anonymiser(group_photo, seed=f"photo{photo}")
            for number, report in enumerate(result.faces):
                used[number].add((report.condition or "pixelated")[:10])
        return used

    for used in people_used("person"):
        assert len(used) == 1
    for used in people_used("face"):
        assert len(used) > 1


def test_a_photo_without_a_face_is_an_error():
    anonymiser = Anonymiser(make_methods("blackout"))
    with pytest.raises(NoFaceError, match="64x48"):
        anonymiser(np.zeros((48, 64, 3), np.uint8))


def test_crops_keep_the_photos_resolution(embedded):
    points = embedded[0].points_xy
    assert crop.native_size(points) == (436, 356)  # a little finer than CelebA's
    assert crop.native_size(points * 0.4) == (109, 89)
    assert crop.native_size(points * 100) == (872, 712)


def test_threads_may_share_an_anonymiser(group_photo):
    anonymiser = Anonymiser("warp", consistent="face")
    photos = [np.ascontiguousarray(np.roll(group_photo, 5 * n, 1)) for n in range(4)]
    alone = [anonymiser(photo, str(n)) for n, photo in enumerate(photos)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        together = list(pool.map(anonymiser, photos, "0123"))
    for one, other in zip(alone, together, strict=True):
        assert one.faces == other.faces
        np.testing.assert_array_equal(one.image, other.image)


def test_other_arrays_are_refused_by_name():
    anonymiser = Anonymiser("blur")
    for wrong in (np.zeros((9, 9, 3)), np.zeros((9, 9), np.uint8)):
        with pytest.raises(TypeError, match=r"wanted uint8 \[H, W, 3\] RGB"):
            anonymiser(wrong)


def test_nobody_is_there_twice(group_photo, embedded):
    twins = np.concatenate([group_photo[:, 240:]] * 2, axis=1)
    people = {face.condition[:10] for face in Anonymiser("warp")(twins).faces}
    assert len(people) == 2


def test_a_folder_of_photos_may_be_the_conditions(group_photo, embedded, tmp_path):
    for face in (embedded[149], embedded[67]):
        Image.fromarray(face.image).save(tmp_path / f"{face.identity}.png")
    names = {f"{embedded[n].identity}.png" for n in (149, 67)}
    result = Anonymiser("warp", conditions=str(tmp_path))(group_photo)
    assert {face.condition for face in result.faces} <= names | {None}
    assert any(face.status == "replaced" for face in result.faces)
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="neither a bank nor a folder of photos"):
        Anonymiser("warp", conditions=str(tmp_path / "none"))


def test_the_package_has_it_and_training_does_without_it():
    assert anonygan_jax.Anonymiser is Anonymiser
    with pytest.raises(AttributeError, match="no attribute 'Anonymizer'"):
        anonygan_jax.Anonymizer  # noqa: B018
    code = "import sys, anonygan_jax.training.loop; sys.exit('dlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
