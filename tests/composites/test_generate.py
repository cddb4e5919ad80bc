"""What is promised of the embedded faces, and the making of composites."""

import csv
import importlib.resources

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from anonygan_jax.composites import donors, face_model, generate, training_set
from anonygan_jax.faces import delaunay
from anonygan_jax.recognition.dlib import DlibDescriptor

ASSETS = importlib.resources.files("anonygan_jax") / "assets" / "composites"


def _donor_table() -> list[dict[str, str]]:
    with (ASSETS / "donors.csv").open() as file:
        return list(csv.DictReader(file))


def test_embedded_set_is_large_enough_and_small_enough(embedded):
    people, counts = np.unique([face.identity for face in embedded], return_counts=True)
    assert len(people) >= 48
    assert counts.min() >= 4
    assert sum(path.stat().st_size for path in ASSETS.iterdir()) < 3e6


def test_every_composite_has_five_donors_and_resembles_none(embedded):
    table = {row["person"]: row for row in _donor_table()}
    assert set(table) == {face.identity for face in embedded}
    for row in table.values():
        weights = [float(entry.split(":")[1]) for entry in row["donors"].split()]
        assert len(weights) >= 5
        assert max(weights) <= 0.4
        assert sum(weights) == pytest.approx(1, abs=1e-3)
        assert float(row["nearest_donor"]) >= 0.5


def test_descriptors_tell_the_composites_apart(embedded):
    describe = DlibDescriptor()
    one = [describe(face.image, face.points_xy) for face in embedded[:2]]
    other = describe(embedded[-1].image, embedded[-1].points_xy)
    assert np.linalg.norm(one[0] - one[1]) < 0.6 < np.linalg.norm(one[0] - other)


def _portrait(embedded, number: int) -> donors.Portrait:
    """An embedded face on the canvas."""
    image = np.full((*donors.CANVAS, 3), 200, np.uint8)
    image[100:320, 80:260] = embedded[number].image
    points = donors.mesh_points(embedded[number].points_xy + [80, 100])
    return donors.Portrait(image, points, {})


def test_the_average_of_one_face_is_that_face(embedded):
    portrait = _portrait(embedded, 0)
    mean = training_set.average([portrait, portrait], np.array([0.3, 0.7]))
    np.testing.assert_allclose(mean.points, portrait.points)
    assert np.abs(mean.image.astype(int) - portrait.image).max() <= 1


def test_the_average_lies_at_the_weighted_mean_shape(embedded):
    faces = [_portrait(embedded, 0), _portrait(embedded, -1)]
    mean = training_set.average(faces, np.array([0.25, 0.75]))
    expected = 0.25 * faces[0].points + 0.75 * faces[1].points
    np.testing.assert_allclose(mean.points, expected)


def test_turning_moves_the_nose_against_the_jaw_and_back_again(embedded):
    points = _portrait(embedded, 0).points
    np.testing.assert_allclose(
        training_set.turn_points(points, 0, 0), points, atol=1e-9
    )
    turned = training_set.turn_points(points, 10, 0)
    shift = (turned - points)[:, 0]
    assert shift[30] > 6  # the tip of the nose
    assert abs(shift[0]) < 4  # the ear, near the axis
    np.testing.assert_allclose(turned[-16:], points[-16:])  # the border


@hypothesis.given(
    number=st.integers(5, 60), first=st.integers(0, 4), seed=st.integers(0, 2**32 - 1)
)
def test_donors_are_many_of_one_gender_and_none_has_much_weight(number, first, seed):
    people = [
        donors.Donor(str(i), "fm"[i % 2], "xyz"[i % 3], 20 + i, {})
        for i in range(number)
    ]
    weights = generate.sample_weights(people, first, np.random.default_rng(seed))
    used = np.flatnonzero(weights)
    assert 5 <= len(used) <= 30
    if number >= 10:
        assert len({people[i].gender for i in used}) == 1
    assert np.abs(weights).max() <= 0.3 + 1e-9
    assert weights.sum() == pytest.approx(1)


def test_faces_of_the_model_are_weighted_sums(embedded):
    portraits = [_portrait(embedded, n) for n in (0, 10, -1)]
    people = [
        donors.Donor(str(n), None, None, None, {"neutral": portrait})
        for n, portrait in enumerate(portraits)
    ]
    model = face_model.FaceModel(people, ("neutral",))
    weights = np.array([0.9, 0.6, -0.5])
    face = model.face(weights, "neutral")
    shapes = np.stack([portrait.points for portrait in portraits])
    np.testing.assert_allclose(face.points, np.tensordot(weights, shapes, 1))
    mean = shapes.mean(0)
    textures = [
        delaunay.warp_to_points(p.image.astype(np.float32), p.points, mean)
        for p in portraits
    ]
    signed = np.clip(np.tensordot(weights, np.stack(textures), 1), 0, 255)
    means = 0.6 * textures[0] + 0.4 * textures[1]
    expected = [delaunay.warp_to_points(t, mean, face.points) for t in (signed, means)]
    nose, corner = np.rint(face.points[30]).astype(int), np.array([40, 40])
    for (x, y), image in zip((nose, corner), expected, strict=True):
        part = slice(y - 3, y + 4), slice(x - 3, x + 4)
        apart = np.abs(face.image[part].astype(np.float32) - image[part])
        assert apart.max() <= 2
