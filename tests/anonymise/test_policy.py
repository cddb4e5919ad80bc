"""Who is hidden, and in doubt everybody."""

import numpy as np
import pytest

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.errors import PolicyError, RegionError
from anonygan_jax.anonymise.policy import Policy
from anonygan_jax.anonymise.references import MIN_SIDE, References
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.mobilefacenet import MobileFaceNetDescriptor
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET
from anonygan_jax.recognition.thresholds import (
    MAX_KEEP_DISTANCES,
    MIN_OTHER_DISTANCES,
    SAME_PERSON_DISTANCES,
)


def _face(left: float, top: float, width: float, height: float) -> Face:
    """A face without landmarks."""
    box = np.array([left, top, left + width, top + height], np.float32)
    return Face(np.zeros((0, 2), np.float32), box, 1.0)


FACE = _face(10, 10, 20, 40)
KEEP, SEEK = 3, 4  # axes along which references are
SCALE = 1.9  # of MobileFaceNet's distances to dlib's, in most tests
Seen = dict[str, np.ndarray]


def _away(distance: float, axis: int = KEEP, by_second: float | None = None) -> Seen:
    """Descriptors so far from zero, by dlib and by MobileFaceNet."""
    second = SCALE * distance if by_second is None else by_second
    return {
        DLIB: np.eye(128)[axis] * distance,
        MOBILEFACENET: np.eye(192)[axis] * second,
    }


def _references(*photos: Seen) -> References:
    return References({name: np.stack([p[name] for p in photos]) for name in photos[0]})


def _beside(thresholds: dict[str, float], dlib: float, second: float) -> Seen:
    """Descriptors at thresholds, and by each recogniser a little farther away."""
    farther = thresholds[MOBILEFACENET] + second
    return _away(-thresholds[DLIB] - dlib, KEEP, -farther)


BEYOND, WITHIN = 0.01, -0.01


@pytest.mark.parametrize(
    ("keep", "only", "hidden"),
    [
        ((WITHIN, WITHIN), None, False),
        ((BEYOND, WITHIN), None, True),  # perhaps another person
        ((WITHIN, BEYOND), None, True),
        (None, (WITHIN, BEYOND), True),  # perhaps the person
        (None, (BEYOND, WITHIN), True),
        (None, (BEYOND, BEYOND), False),
        (None, None, True),
    ],
)
def test_in_doubt_a_face_is_hidden(keep, only, hidden):
    policy = Policy(
        _references(_beside(MAX_KEEP_DISTANCES, *keep)) if keep else None,
        _references(_beside(MIN_OTHER_DISTANCES, *only)) if only else None,
    )
    (decision,) = policy([FACE], [_away(0)])
    assert decision.hidden == hidden
    assert (decision.reason is None) == hidden
    assert policy([FACE], [None])[0].hidden  # whose descriptor is not known
    assert policy([_face(10, 10, 20, MIN_SIDE - 1)], [_away(0)])[0].hidden


def test_who_is_like_another_photo_to_each_recogniser_is_hidden():
    photos = (_away(0.1, KEEP, 1.8), _away(-0.8, KEEP, -0.1))
    assert Policy(_references(*photos))([FACE], [_away(0)])[0].hidden


@pytest.mark.parametrize(("left", "hidden"), [(24, True), (31, False), (200, False)])
@pytest.mark.parametrize("axis", [KEEP, SEEK])
def test_in_doubt_whose_face_a_descriptor_is_both_are_hidden(left, hidden, axis):
    """A face behind another: its descriptor may be of the one before it."""
    faces = [FACE, _face(left, 10, 20, 40)]
    if axis == KEEP:  # two people who agreed
        policy = Policy(keep=_references(_away(0.1), _away(2.0)))
        descriptors = [_away(0), _away(1.9)]
    else:
        policy = Policy(only=_references(_away(3.0)))
        descriptors = [_away(0), _away(1.0)]
    assert [d.hidden for d in policy(faces, descriptors)] == [hidden] * 2


def test_a_person_is_kept_once_in_an_image():
    faces = [_face(100 * n, 0, 40, 40) for n in range(4)]
    # Two photos of one person, one of another.
    policy = Policy(_references(_away(0.1), _away(0.2), _away(5.0)))
    descriptors = [_away(0.5), _away(0.3), _away(-0.3), _away(5.1)]
    hidden = [d.hidden for d in policy(faces, descriptors)]
    assert hidden == [True, False, True, False]


@pytest.mark.parametrize(
    ("sought", "hidden"),
    [
        ((WITHIN, WITHIN), True),
        ((WITHIN, BEYOND), True),
        ((BEYOND, WITHIN), True),
        ((BEYOND, BEYOND), False),
    ],
)
def test_who_may_be_sought_is_hidden_even_if_like_who_agreed(sought, hidden):
    only = _references(_beside(SAME_PERSON_DISTANCES, *sought))
    policy = Policy(_references(_away(0.44)), only)
    assert policy([FACE], [_away(0)])[0].hidden == hidden


@pytest.mark.parametrize(
    ("second", "hidden"),
    [
        (_away(0.65, KEEP, 1.2), [False, False]),  # two people
        (_away(0.65, KEEP, 1.1), [False, True]),
        (_away(0.55, KEEP, 1.2), [False, True]),
    ],
)
def test_photos_of_one_person_to_either_recogniser_keep_one_face(second, hidden):
    policy = Policy(_references(_away(0.0), second))
    stranger = {name: 0.7 * seen for name, seen in second.items()}
    faces = [_face(100 * n, 0, 40, 40) for n in range(2)]
    decisions = policy(faces, [_away(0.01), stranger])
    assert [decision.hidden for decision in decisions] == hidden


@pytest.mark.parametrize(("dlib", "second"), [(0.44, 1.5), (0.46, 0.97)])
def test_nobody_is_to_be_seen_and_to_be_hidden(dlib, second):
    keep = _references(_away(5.0), _away(dlib, KEEP, second))
    with pytest.raises(
        PolicyError,
        match=r"--keep photo 2 and --only photo 1 show one person; leave one of them",
    ):
        Policy(keep, _references(_away(0.0)))


def test_people_who_are_alike_may_be_seen_and_hidden():
    Policy(_references(_away(0.46, KEEP, 0.98)), _references(_away(0.0)))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("0,0,25,40", True),
        ("only:25,0,100,100", False),
        ("ignore:0,0,25,40", False),
        ("ignore:25,0,100,100", True),
        ("hide:0,0,5,5", True),
    ],
)
def test_regions_decide_by_the_middle_of_the_box(text, hidden):
    (decision,) = Policy(regions=(Region.parse(text),))([FACE], [None])
    assert decision.hidden == hidden


@pytest.mark.parametrize(
    "text",
    [
        "nan,0,10,10",
        "ignore:0,0,inf,inf",
        "hide:0,0,nan,nan",
        "1,2,3",
        "a,b,c,d",
        "0,0,-5,5",
        "near:0,0,5,5",
        "0,0,0.5,0.5",
        "",
    ],
)
def test_other_regions_are_refused(text):
    with pytest.raises(PolicyError, match="wanted X,Y,WIDTH,HEIGHT"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["hide:80,0,9,9", "only:0,-9,9,9", "0,60,5,5"])
def test_a_region_outside_the_picture_is_refused(text):
    anonymiser = Anonymiser("blur", regions=(Region.parse(text),))
    with pytest.raises(
        RegionError, match=rf"region .*{text}: is outside the picture of 80x60 pixels"
    ):
        anonymiser(np.zeros((60, 80, 3), np.uint8))


@pytest.mark.parametrize("text", ["hide:12345.67,0.125,1234.56,60", "ignore:1,2,3,4"])
def test_a_region_is_told_as_it_was_given(text):
    assert str(Region.parse(text)) == text


def test_a_region_within_one_pixel_is_pixelated():
    photo = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    policy = Policy(regions=(Region.parse("hide:79.6,0,9,60"),))
    result = photo.copy()
    policy.pixelate_regions(result)
    assert (result != photo).any((0, 2)).nonzero()[0].tolist() == [79]


@pytest.fixture(scope="module")
def reference(tmp_path_factory, embedded) -> str:
    """Another photo of the person at the left of the group photo."""
    from PIL import Image

    person = embedded[0].identity
    other = [face for face in embedded if face.identity == person][1]
    path = tmp_path_factory.mktemp("reference") / "person.png"
    Image.fromarray(other.image).save(path)
    return str(path)


def test_who_agreed_stays_as_they_are_and_the_others_are_hidden(reference, group_photo):
    kept, hidden = slice(0, 240), slice(240, None)
    for options in ({"keep": (reference,)}, {"only": (reference,)}):
        result = Anonymiser("pixelate", **options)(group_photo)
        statuses = {face.status for face in result.faces}
        assert statuses == {"kept", "replaced"}
        changed = (result.image != group_photo).any(-1)
        assert changed[:, kept].any() == ("only" in options)
        assert changed[:, hidden].any() == ("keep" in options)
        (stays,) = [face for face in result.faces if face.status == "kept"]
        assert stays.reference_distance is not None


@pytest.mark.parametrize("option", ["keep", "only"])
def test_a_face_is_kept_only_if_both_recognisers_agree(
    reference, group_photo, monkeypatch, option
):
    """To MobileFaceNet all faces are one person's, or each another's."""
    unlike = iter(np.eye(192, dtype=np.float32))

    def describe(*_):
        return next(unlike) if option == "keep" else np.eye(192, dtype=np.float32)[0]

    monkeypatch.setattr(MobileFaceNetDescriptor, "__call__", describe)
    result = Anonymiser("pixelate", **{option: (reference,)})(group_photo)
    assert [face.status for face in result.faces] == ["replaced"] * 2


def test_a_reference_must_show_one_face(group_photo, tmp_path):
    from PIL import Image

    Image.fromarray(group_photo).save(tmp_path / "two.png")
    with pytest.raises(PolicyError, match="2 faces found in the reference photo"):
        Anonymiser("blur", keep=(str(tmp_path / "two.png"),))


def test_a_reference_must_be_large_enough_to_be_recognised(embedded, tmp_path):
    from PIL import Image

    small = Image.fromarray(embedded[0].image).resize((33, 40))
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "far.png")
    with Image.open(tmp_path / "far.png") as far:
        far.paste(small, (80, 80))
        far.save(tmp_path / "far.png")
    with pytest.raises(PolicyError, match="below 32 pixels"):
        Anonymiser("blur", keep=(str(tmp_path / "far.png"),))


def test_a_region_is_pixelated_even_where_there_is_no_face():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (60, 80, 3), np.uint8)
    result = Anonymiser("blur", regions=(Region.parse("hide:10,20,30,30"),))(photo)
    changed = (result.image != photo).any(-1)
    assert changed[20:50, 10:40].mean() > 0.95
    changed[20:50, 10:40] = False
    assert not changed.any()
