"""Faces of numbered people: who is drawn, what stays, what is refused."""

import numpy as np
import pytest

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.classes import ClassSelector
from anonygan_jax.anonymise.conditions.selector import ConditionError, NoConditionError
from anonygan_jax.faces import alignment
from anonygan_jax.faces.masks import face_mask
from anonygan_jax.methods import make_methods
from anonygan_jax.methods.method import Faces, MethodError
from anonygan_jax.weights.checkpoint_folder import CheckpointError
from configs import ciagan

SIZE, NUM_PEOPLE = (64, 64), 60


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, write_untrained) -> str:
    """A run before its first step."""
    config = ciagan.get_config("tiny").unlock()
    config.data.directory = "embedded"
    config.model.num_identities = NUM_PEOPLE
    return str(write_untrained(config, tmp_path_factory.mktemp("ciagan")))


@pytest.fixture(scope="module")
def method(checkpoint):
    return make_methods("ciagan", checkpoint)[0]


@pytest.fixture(scope="module")
def small(faces) -> Faces:
    """Composites at the generator's size."""
    framed = [alignment.celeba_transform(points, SIZE) for points in faces.points_xy]
    images = [
        alignment.crop_photo(image, matrix, SIZE)
        for image, matrix in zip(faces.images, framed, strict=True)
    ]
    points = [
        alignment.transform_points(matrix, points)
        for matrix, points in zip(framed, faces.points_xy, strict=True)
    ]
    masks = face_mask(np.stack(points), SIZE)
    return Faces(np.stack(images), np.stack(points), masks)


def test_only_the_inside_of_the_mask_is_drawn_and_never_from_the_face(method, small):
    people = np.array([0, 7, NUM_PEOPLE - 1])
    hidden = method(small, people)
    assert method.crop_size == SIZE
    assert hidden.dtype == np.uint8
    inside = small.masks > 0
    np.testing.assert_array_equal(hidden[~inside], small.images[~inside])
    assert (hidden != small.images).any(-1)[inside].mean() > 0.9
    other = np.where(inside[..., None], 255 - small.images, small.images)
    again = method(Faces(other, small.points_xy, small.masks), people)
    np.testing.assert_array_equal(again, hidden)


def test_somebody_else_is_another_face(method, small):
    one, other = (method(small, np.full(3, number)) for number in (3, 4))
    assert (one != other).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(method(small, np.full(3, 3)), one)


@pytest.mark.parametrize("number", [-1, NUM_PEOPLE])
def test_people_who_are_not_there_are_refused(method, small, number):
    with pytest.raises(MethodError, match=rf"no person {number}: .*draws 0 to 59"):
        method(small, np.array([0, number, 1]))


def test_faces_outside_the_crop_are_refused(method, small):
    wrong = small.points_xy.copy()
    wrong[1] += 200  # outside the picture
    masks = face_mask(wrong, SIZE)
    with pytest.raises(MethodError, match="face 1: the face is outside the crop"):
        method(Faces(small.images, wrong, masks), np.zeros(3, int))


def test_checkpoints_of_the_other_system_are_refused(checkpoint, tiny_run):
    with pytest.raises(CheckpointError, match=r"generator of anonygan; ciagan needs"):
        make_methods("ciagan", str(tiny_run))
    with pytest.raises(CheckpointError, match=r"the package holds .*configs/ciagan"):
        make_methods("ciagan")
    with pytest.raises(CheckpointError, match=r"generator of ciagan; anonygan needs"):
        make_methods("anonygan", checkpoint)


@pytest.mark.slow
def test_a_photo_gets_two_people_by_the_seed_or_one_by_number(checkpoint, group_photo):
    anonymise = Anonymiser("ciagan", checkpoint)
    names = [
        tuple(face.condition for face in anonymise(group_photo, seed).faces)
        for seed in ("a", "b")
    ]
    assert len(set(names[0])) == 2
    assert names[0] == names[1]  # the same people keep their faces
    anew = Anonymiser("ciagan", checkpoint, consistent="face")
    drawn = {anew(group_photo, str(seed)).faces[0].condition for seed in range(4)}
    assert len(drawn) > 1
    result = Anonymiser("ciagan", checkpoint, "7")(group_photo)
    assert {face.condition for face in result.faces} == {"person 7"}
    assert {face.status for face in result.faces} == {"replaced"}


@pytest.mark.parametrize("condition", ["60", "-1", "anna.jpg", "1.5"])
def test_conditions_that_are_no_person_are_reported(condition):
    with pytest.raises(ConditionError, match="0 to 59, or auto"):
        ClassSelector(condition, NUM_PEOPLE)


def test_everybody_can_be_drawn_and_nobody_twice_beside():
    people = ClassSelector("auto", 5)
    given = {people.select(None, str(seed)).number for seed in range(100)}
    assert given == set(range(5))
    left = people.select(None, "a", frozenset("0124"))
    assert (left.number, left.person, left.name) == (3, "3", "person 3")
    assert people.best_face_of("4", None).number == 4
    with pytest.raises(NoConditionError, match="nobody is left"):
        people.select(None, "a", frozenset("01234"))
