"""Folders of portraits: who counts as a donor."""

import pathlib

import pytest
from PIL import Image

from anonygan_jax.composites import donors, generate


@pytest.fixture(scope="module")
def portraits(tmp_path_factory, embedded) -> pathlib.Path:
    """Five people with two expressions each, and photos that add nobody."""
    folder = tmp_path_factory.mktemp("portraits")
    people = sorted({face.identity for face in embedded})[:6]
    for person in people[:5]:
        for expression in ("neutral", "smiling"):
            _save(embedded, person, expression, folder / expression / f"{person}.png")
    _save(embedded, people[0], "neutral", folder / "neutral" / "twin.png")
    _save(embedded, people[0], "smiling", folder / "smiling" / "twin.png")
    _save(embedded, people[5], "neutral", folder / "neutral" / "shy.png")
    _save(embedded, people[5], "neutral", folder / "neutral" / "mixed.png")
    _save(embedded, people[1], "smiling", folder / "smiling" / "mixed.png")
    Image.new("RGB", (80, 80)).save(folder / "neutral" / "dark.png")
    (folder / "info.csv").write_text(
        "face_id,face_age,face_gender,face_eth\n"
        f"{people[0]},41,female,white\n{people[1]},NA,male,black\n"
    )
    return folder


def _save(embedded, person: str, expression: str, path: pathlib.Path) -> None:
    path.parent.mkdir(exist_ok=True)
    name = f"{person}/{expression}.png"
    image = next(face.image for face in embedded if face.file == name)
    Image.fromarray(image).save(path)


def test_only_people_with_all_expressions_count_and_only_once(portraits):
    found = donors.read_donors(portraits)
    assert set(found.expressions) == {"neutral", "smiling"}
    assert len(found.people) == 5
    assert found.left_out["neutral/dark.png"] == "no face found"
    assert "counted once" in found.left_out["twin"]
    assert found.left_out["shy"] == "no usable portrait in smiling"
    assert "do not look like one person" in found.left_out["mixed"]


def test_what_info_tells_is_kept_and_the_rest_unknown(portraits):
    people = donors.read_donors(portraits).people
    assert (people[0].gender, people[0].age) == ("female", 41.0)
    assert (people[1].ethnicity, people[1].age) == ("black", None)
    assert (people[2].gender, people[2].age) == (None, None)


def test_too_few_donors_are_refused(portraits):
    found = donors.read_donors(portraits)
    with pytest.raises(donors.DonorError, match="of 5 people, at least 6 are needed"):
        generate.CompositeGenerator(found, min_donors=6)


def test_photos_in_no_folder_are_one_expression(portraits, tmp_path):
    for photo in (portraits / "smiling").iterdir():
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    found = donors.read_donors(tmp_path)
    assert found.expressions == (donors.ONE_EXPRESSION,)
    assert len(found.people) == 5
    (tmp_path / "empty").mkdir()
    with pytest.raises(donors.DonorError, match="no usable portrait"):
        donors.read_donors(tmp_path / "empty")
