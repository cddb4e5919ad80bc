"""Banks: made, read, shown, refused; what is promised of the package's."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.cli import main
from anonygan_jax.composites import bank as banks
from anonygan_jax.composites import demographics, donors, generate
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.recognition.dlib import DlibDescriptor


def _run(*arguments: object):
    return CliRunner().invoke(main.main, ["conditions", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def portraits(tmp_path_factory, embedded) -> pathlib.Path:
    """Nine composites as donors, one photo each, with ages and genders."""
    folder = tmp_path_factory.mktemp("donors")
    lines = ["face_id,face_age,face_gender,face_eth"]
    neutral = [face for face in embedded if face.file.endswith("/neutral.png")]
    for number, face in enumerate(neutral[:9]):
        Image.fromarray(face.image).save(folder / f"{face.identity}.png")
        lines.append(f"{face.identity},{20 + 3 * number},{'mf'[number % 2]}ale,white")
    (folder / "info.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def built(portraits, tmp_path_factory) -> banks.Bank:
    """A bank of two people made of the portraits, without a limit on likeness."""
    output = tmp_path_factory.mktemp("banks") / "bank"
    with pytest.MonkeyPatch.context() as patch:
        _without_limits(patch)
        result = _run(
            *("build", portraits, "--output", output, "--count", 2),
            *("--attribution", "composites of composites"),
        )
    assert result.exit_code == 0, result.output
    assert "2 pictures of 2 people" in result.output
    assert "nearest donor, MobileFaceNet: " in result.output
    return banks.load_bank(output)


@pytest.fixture(scope="module")
def generator(portraits) -> generate.CompositeGenerator:
    return generate.CompositeGenerator(donors.read_donors(portraits))


def test_a_bank_holds_what_it_says(built):
    assert built.attribution == "composites of composites"
    assert len(set(built.people)) == 2
    describe = DlibDescriptor()
    for number in range(2):
        image = built.image(number)
        assert image.shape == (440, 360, 3)
        face = DlibLandmarks().detect(image)[0]
        apart = np.linalg.norm(face.points_xy - built.points_xy[number], axis=-1)
        assert apart.mean() < 5
        descriptor = describe(image, built.points_xy[number])
        assert np.linalg.norm(descriptor - built.descriptors["dlib"][number]) < 0.3
        assert built.demographic_shares[number].sum() == pytest.approx(1, abs=1e-3)


def _without_limits(patch: pytest.MonkeyPatch) -> None:
    """Lets composites resemble donors and each other."""
    for name in ("NEAREST_DONORS", "NEAREST_COMPOSITES"):
        patch.setattr(generate, name, {"dlib": 0.0, "mobilefacenet": 0.0})


@pytest.mark.parametrize("recogniser", ["dlib", "mobilefacenet"])
@pytest.mark.parametrize("others", ["NEAREST_DONORS", "NEAREST_COMPOSITES"])
def test_composites_that_resemble_a_donor_or_each_other_are_refused(
    recogniser, others, generator, monkeypatch
):
    _without_limits(monkeypatch)
    monkeypatch.setattr(generate, "MAX_ATTEMPTS", 2)
    assert len(list(generator.composites(2))) == 2
    monkeypatch.setitem(getattr(generate, others), recogniser, 3.0)
    with pytest.raises(donors.DonorError, match="2 composites resembled a donor or"):
        list(generator.composites(2))


def test_fewer_than_five_donors_are_refused(portraits, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for photo in sorted(portraits.glob("*.png"))[:4]:
        (few / photo.name).write_bytes(photo.read_bytes())
    arguments = ("--output", tmp_path / "bank", "--attribution", "x")
    result = _run("build", few, *arguments)
    assert result.exit_code == 1
    assert "usable portraits of 4 people, at least 5 are needed" in result.output
    result = _run("build", portraits, *arguments, "--min-donors", 4)
    assert result.exit_code == 1
    assert not (tmp_path / "bank").exists()


def test_a_contact_sheet_shows_every_face(built, tmp_path):
    path = tmp_path / "sheets" / "sheet.png"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anonygan_jax.cli.conditions.embedded_bank", lambda: None)
        patch.setattr("anonygan_jax.cli.conditions.load_bank", lambda _: built)
        result = _run("show", "--output", path)
    assert result.exit_code == 0, result.output
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (110, 180, 3)
    assert sheet.std(axis=(0, 1)).min() > 10


def test_folders_that_are_no_banks_are_reported(built, tmp_path):
    result = _run("show", tmp_path, "--output", tmp_path / "sheet.png")
    assert result.exit_code == 1
    assert "not a bank of conditions" in result.output
    (tmp_path / banks.BANK_FILE).write_text(json.dumps({"faces": []}))
    with pytest.raises(banks.BankError, match="No such file"):
        banks.load_bank(tmp_path)
    for name in ("../x.jpg", "/x.jpg"):
        shutil.copytree(banks.embedded_bank(), tmp_path, dirs_exist_ok=True)
        about = json.loads((tmp_path / banks.BANK_FILE).read_text())
        about["faces"][3]["file"] = name
        (tmp_path / banks.BANK_FILE).write_text(json.dumps(about))
        with pytest.raises(banks.BankError, match="a picture outside the bank"):
            banks.load_bank(tmp_path)


def test_gender_is_guessed_from_descriptors_of_people_never_seen():
    rng = np.random.default_rng(0)
    mean = {"male": rng.normal(size=128) * 0.1, "female": rng.normal(size=128) * 0.1}

    def donor(number: int) -> donors.Donor:
        gender = ("male", "female")[number % 2]
        descriptor = (mean[gender] + rng.normal(size=128) * 0.08).astype(np.float32)
        known = {"dlib": descriptor}
        portrait = donors.Portrait(np.zeros(0), np.zeros(0), known)
        return donors.Donor(str(number), gender, None, 25.0, {"neutral": portrait})

    people = [donor(number) for number in range(60)]
    fitted = demographics.fit_demographics(people[:40])
    assert fitted is not None
    assert fitted.names == ("female under 32", "male under 32")
    for person in people[40:]:
        guess = fitted.guess(person.portraits["neutral"].descriptors["dlib"])
        assert fitted.names[int(guess.argmax())].startswith(f"{person.gender} ")
    strangers = [donors.Donor("x", None, None, None, people[0].portraits)]
    assert demographics.fit_demographics(strangers) is None


@pytest.fixture(scope="module")
def embedded_bank() -> banks.Bank:
    return banks.load_bank(banks.embedded_bank())


def test_the_packages_bank_is_large_and_resembles_no_donor(embedded_bank):
    assert len(set(embedded_bank.people)) >= 200
    for name, least in (("dlib", 0.5), ("mobilefacenet", 1.0)):
        of_people = [known[name] for known in embedded_bank.nearest_donor.values()]
        assert min(of_people) >= least
    assert "CC BY 4.0" in embedded_bank.attribution
    about = json.loads((banks.embedded_bank() / banks.BANK_FILE).read_text())
    for person in about["people"].values():
        weights = np.array(list(person["donors"].values()))
        assert len(weights) >= 5
        assert weights.sum() == pytest.approx(1, abs=0.002)
        assert np.abs(weights).max() <= 0.3
    folder = banks.embedded_bank()
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size < 8e6


def test_the_packages_bank_covers_genders_ages_and_expressions(embedded_bank):
    assert embedded_bank.demographic_shares.mean(0).min() > 0.05
    openness = embedded_bank.attributes[:, 2]
    assert (openness < 0.05).sum() >= 100
    assert (openness > 0.1).sum() >= 50
    lightness = embedded_bank.attributes[:, 4]
    assert np.ptp(lightness) > 15
