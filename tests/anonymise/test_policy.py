"""Who is hidden, and in doubt everybody."""

import numpy as np
import pytest

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.policy import (
    Policy,
    PolicyError,
    Region,
)
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.thresholds import MAX_KEEP_DISTANCE, MIN_OTHER_DISTANCE

FACE = Face(np.zeros((0, 2), np.float32), np.array([10, 10, 30, 50], np.float32), 1.0)


def _away(distance: float) -> np.ndarray:
    """A descriptor so far from zero."""
    return np.eye(128)[3] * distance


@pytest.mark.parametrize(
    ("keep", "only", "hidden"),
    [
        (MAX_KEEP_DISTANCE - 0.01, None, False),
        (MAX_KEEP_DISTANCE + 0.01, None, True),  # perhaps another person
        (None, MIN_OTHER_DISTANCE - 0.01, True),  # perhaps the person
        (None, MIN_OTHER_DISTANCE + 0.01, False),
        (MAX_KEEP_DISTANCE - 0.01, MIN_OTHER_DISTANCE - 0.01, False),
        (None, None, True),
    ],
)
def test_in_doubt_a_face_is_hidden(keep, only, hidden):
    references = [None if d is None else -_away(d)[None] for d in (keep, only)]
    decision = Policy(*references)(FACE, np.zeros(128))
    assert decision.hidden == hidden
    assert (decision.reason is None) == hidden
    assert Policy(*references)(FACE, None).hidden  # whose descriptor is not known


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
    assert Policy(regions=(Region.parse(text),))(FACE, None).hidden == hidden


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
        "",
    ],
)
def test_other_regions_are_refused(text):
    with pytest.raises(PolicyError, match="wanted X,Y,WIDTH,HEIGHT"):
        Region.parse(text)


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


def test_a_reference_must_show_one_face(group_photo, tmp_path):
    from PIL import Image

    Image.fromarray(group_photo).save(tmp_path / "two.png")
    with pytest.raises(PolicyError, match="2 faces found in the reference photo"):
        Anonymiser("blur", keep=(str(tmp_path / "two.png"),))


def test_a_region_is_pixelated_even_where_there_is_no_face():
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (60, 80, 3), np.uint8)
    result = Anonymiser("blur", regions=(Region.parse("hide:10,20,30,30"),))(photo)
    changed = (result.image != photo).any(-1)
    assert changed[20:50, 10:40].mean() > 0.95
    changed[20:50, 10:40] = False
    assert not changed.any()
