"""What is promised of the embedded faces, and the making of composites."""

import csv
import importlib.resources

import numpy as np
import pytest

from anonygan_jax.composites import donors, generate, training_set
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
    return donors.Portrait(image, points, np.zeros(128))


def test_the_average_of_one_face_is_that_face(embedded):
    portrait = _portrait(embedded, 0)
    mean = generate.average([portrait, portrait], np.array([0.3, 0.7]))
    np.testing.assert_allclose(mean.points, portrait.points)
    assert np.abs(mean.image.astype(int) - portrait.image).max() <= 1


def test_the_average_lies_at_the_weighted_mean_shape(embedded):
    faces = [_portrait(embedded, 0), _portrait(embedded, -1)]
    mean = generate.average(faces, np.array([0.25, 0.75]))
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


def test_donors_are_five_or_more_of_one_gender():
    people = [
        donors.Donor(str(i), "fm"[i % 2], "xyz"[i % 3], 20 + i, {}) for i in range(60)
    ]
    rng = np.random.default_rng(0)
    for _ in range(50):
        chosen, weights = generate.sample_donors(people, rng)
        assert 5 <= len(chosen) == len({d.name for d in chosen}) <= 8
        assert len({d.gender for d in chosen}) == 1
        assert weights.max() <= 0.4
        assert weights.sum() == pytest.approx(1)
