"""The whole of `anonygan evaluate`: folders in, a report out."""

import functools
import json
import pathlib
import re

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.cli import main
from anonygan_jax.data.prepare.tfds import DatasetError
from anonygan_jax.evaluation import run
from anonygan_jax.evaluation.collect import datasets, networks
from anonygan_jax.evaluation.metrics.registry import FIGURES, METRICS


def _evaluate(*arguments: object):
    return CliRunner().invoke(main.main, ["evaluate", *(str(a) for a in arguments)])


@pytest.fixture(scope="module", autouse=True)
def networks_are_loaded_once():
    """Those of no files of weights are, and what they compile is kept."""
    load = functools.cache(lambda: networks.available_networks(None, {}))

    def available_networks(inception, recognisers):
        if inception or recognisers:
            return networks.available_networks(inception, recognisers)
        return load()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "available_networks", available_networks)
        yield


@pytest.fixture(scope="module")
def portraits(tmp_path_factory, embedded) -> pathlib.Path:
    """Four photos of each of three composites, named as LFW's, and a meadow."""
    folder = tmp_path_factory.mktemp("portraits")
    owners = sorted({face.identity for face in embedded})[:3]
    for owner in owners:
        faces = [face for face in embedded if face.identity == owner][:4]
        for number, face in enumerate(faces, 1):
            path = folder / owner / f"{owner}_{number:04d}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(face.image).save(path)
    Image.new("RGB", (80, 60), "green").save(folder / "meadow.png")
    lines = ["1\t3", *(f"{owner} 1 2" for owner in owners)]
    lines += [f"{a} 1 {b} 2" for a, b in zip(owners, owners[1:] + owners, strict=False)]
    (folder.parent / "pairs.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory, portraits) -> pathlib.Path:
    """A tool that does nothing, as JPEG, and leaves files that do not fit."""
    folder = tmp_path_factory.mktemp("unchanged")
    photos = sorted(portraits.rglob("*_0*.png"))
    for photo in photos[:-2]:
        path = folder / photo.relative_to(portraits).with_suffix(".jpg")
        path.parent.mkdir(exist_ok=True)
        Image.open(photo).save(path, quality=95)
    small = folder / photos[-2].relative_to(portraits)
    Image.open(photos[-2]).resize((50, 60)).save(small)
    (folder / photos[-1].relative_to(portraits)).write_bytes(b"broken")
    Image.new("RGB", (9, 9)).save(folder / "stranger.png")
    return folder


@pytest.fixture(scope="module")
def report(tmp_path_factory, portraits, unchanged) -> tuple[pathlib.Path, dict, str]:
    """Folder, results.json and screen of one evaluation."""
    output = tmp_path_factory.mktemp("report") / "out"
    result = _evaluate(
        *("--originals", portraits, "--anonymised", f"nothing done={unchanged}"),
        *("--methods", "blur,anonygan:/nowhere", "--output", output),
        *("--no-mtcnn", "--workers", 1),
    )
    assert result.exit_code == 0, result.output
    return output, json.loads((output / "results.json").read_text()), result.output


def _row(report, title: str) -> dict:
    (row,) = [row for row in report[1]["rows"] if row["title"] == title]
    return row


def test_a_tool_that_does_nothing_is_seen_through(report):
    measures = _row(report, "nothing done")["measures"]
    for name in ("dlib", "mobilefacenet"):
        assert measures[f"rank_one_{name}"]["value"] > 0.8
        assert measures[f"rank_one_own_{name}"]["value"] == 1
        assert measures[f"auc_{name}"]["value"] > 0.9
        assert measures[f"auc_{name}_over_floor"]["value"] > 0
    assert measures["rank_one_chance"]["value"] == pytest.approx(3 / 11)
    assert measures["detected_dlib"] == {
        "value": 1.0,
        "low": pytest.approx(0.72, abs=0.01),
        "high": 1.0,
        "count": 10,
        "deviation": None,
    }
    assert measures["pose_l2"]["value"] < 0.03
    assert measures["pose_angle"]["value"] < 0.2
    assert measures["gaze_angle"]["value"] < 0.1
    assert measures["gaze_angle"]["count"] == 10
    assert measures["background_ssim"]["value"] > 0.9


def test_blurring_hides_and_is_measured_alike(report):
    nothing, blur = (_row(report, t)["measures"] for t in ("nothing done", "blur"))
    for name in ("dlib", "mobilefacenet"):
        assert blur[f"auc_{name}"]["value"] < nothing[f"auc_{name}"]["value"]
    assert blur["detected_dlib"]["value"] < 0.5
    assert blur["background_ssim"]["value"] == pytest.approx(1, abs=1e-3)
    for name in ("frechet_efficientnet", "frechet_dlib"):
        assert blur[name]["value"] > 2 * nothing[name]["value"]
    assert "frechet_fid_clean" not in blur


def test_recognisers_have_tables_beside_the_floor(report):
    output, data, screen = report
    text = (output / "report.md").read_text()
    for shown in (text, screen):
        for title in ("dlib", "MobileFaceNet"):
            (head,) = re.findall(rf"^\| {title} \(accuracy on originals.*", shown, re.M)
            assert "rank 1, own original in" in head
        assert shown.count("| black patch in its mask |") == 4
        assert shown.count("| difference |") == 4
        assert "more than black patch |" not in shown
        assert shown.count("| chance | ") == 2
    assert "gallery 12 photos of 3 people" in text
    assert "| *NullFace* | *CelebA-HQ* | *0.21%* | *0.29%* | *0.053* |" in text
    assert data["published_newer"]["FALCO"]["gaze, radians"] == "0.277"
    ours = [line for line in text.split("\n") if "| these photos |" in line]
    assert [line.split(" | ")[0] for line in ours] == [
        *("| nothing done", "| blur", "| anonygan:/nowhere")
    ]
    angles = r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]"
    assert re.search(rf"photos \|  \|  \| {angles} \| {angles} \|$", ours[0])
    assert [row["region"] for row in data["rows"][:3]] == [None, "face", "face"]


def test_a_gallery_has_originals_that_are_not_anonymised(portraits, tmp_path):
    result = _evaluate(
        *("--originals", portraits, "--methods", "warp", "--count", 4),
        *("--gallery", 99, "--output", tmp_path, "--no-mtcnn", "--workers", 1),
    )
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["num_photos"] == 4
    assert data["settings"]["gallery"] == "12 photos of 3 people"
    (row,) = data["rows"][1:]
    assert row["region"] == "outline"
    measures = row["measures"]
    assert measures["rank_one_own_dlib"]["count"] == 4
    assert measures["frechet_dlib"]["count"] == 4
    assert len(list((tmp_path / "results" / "warp").rglob("*.png"))) == 4


def test_groups_and_emotions_are_told_apart(report):
    output, *_ = report
    row = _row(report, "nothing done")
    assert row["measures"]["emotion"]["value"] > 0.8
    parts = row["subgroups"]
    for kind in ("yaw ", "skin ", "apparently "):
        counts = [
            part["detected_dlib"]["count"]
            for title, part in parts.items()
            if title.startswith(kind)
        ]
        assert sum(counts) == row["measures"]["detected_dlib"]["count"], kind
    text = (output / "report.md").read_text()
    for title in parts:
        assert f"| {title} | " in text


def test_what_could_not_be_measured_is_listed(report, portraits):
    problems = report[1]["problems"]
    reasons = {p["photo"]: p["reason"] for p in problems["nothing done"]}
    assert reasons.pop("stranger") == "no original"
    assert reasons.pop("meadow") == "no result"
    broken, small = sorted(reasons, reverse=True)
    assert "cannot be decoded" in reasons[broken]
    assert reasons[small] == "50x60 pixels, its original 180x220"
    assert [p["photo"] for p in problems["blur"]] == ["meadow"]
    assert problems["original"] == [
        {"photo": "meadow", "reason": "no face found in the original"}
    ]
    assert report[1]["num_photos"] == 13
    assert report[1]["num_faces"] == 12


def test_each_figure_has_one_metric_and_a_title_in_the_report(report):
    assert len(FIGURES) == sum(len(metric.figures) for metric in METRICS)
    for row in report[1]["rows"]:
        assert set(row["measures"]) <= set(FIGURES)
        for part in row["subgroups"].values():
            assert set(part) <= set(row["measures"])


def test_missing_weights_leave_empty_cells_with_a_reason(report):
    output, _, screen = report
    text = (output / "report.md").read_text()
    for shown in (screen, text):
        (number,) = set(re.findall(r"anonygan:/nowhere \| \[(\d)\]", shown))
        assert f"[{number}] /nowhere: no config.json there" in shown
        assert "needs the Inception of FID: --inception-weights" in shown
        assert "| *CIAGAN, published* | *37.94* | *96%*" in shown
    assert "covariance is singular" in text
    for name in ("bars.png", "roc.png", "pose.png", "contact_sheet.jpg"):
        assert f"({name})" in text
        assert np.asarray(Image.open(output / name)).std() > 5


def test_pairs_give_folds_and_a_sanity_row(portraits, report, tmp_path):
    pairs = portraits.parent / "pairs.txt"
    results = report[0] / "results" / "blur"
    result = _evaluate(
        *("--originals", portraits, "--anonymised", results, "--pairs", pairs),
        *("--output", tmp_path, "--no-mtcnn", "--workers", 1),
    )
    assert result.exit_code == 0, result.output
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["num_photos"] == 6
    original, blur = data["rows"]
    assert original["measures"]["auc_dlib"]["value"] == 1
    assert original["measures"]["accuracy_mobilefacenet"]["value"] > 0.8
    assert original["measures"]["accuracy_dlib"]["count"] == 6
    assert blur["measures"]["auc_dlib"]["count"] == 6  # of both kinds
    assert {*("linkage_ari_dlib", "parrot_dlib", "rank_one_dlib_floor")} <= set(
        blur["measures"]
    )
    assert original["roc_area"]["dlib"] == 1
    assert (tmp_path / "roc.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--originals", "none", "--methods", "blur"], "none: no such folder"),
        (["--originals", ".", "--methods", "smudge"], "unknown method 'smudge'"),
        (["--originals", "."], "nothing to evaluate"),
        (["--originals", ".", "--anonymised", "gone"], "gone: no such folder"),
        (["--originals", ".", "--pairs", "p.txt", "--methods", "blur"], "none of the"),
        (
            ["--originals", ".", "--methods", "blur", "--inception-weights", "p.txt"],
            "wanted pt_inception",
        ),
    ],
)
def test_what_cannot_be_measured_at_all_is_reported(
    portraits, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(portraits)
    (tmp_path / "p.txt").write_text("1\nNobody 1 2\nNobody 1 Else 2\n")
    options = [str(tmp_path / o) if o == "p.txt" else o for o in options]
    result = _evaluate(*options, "--output", tmp_path / "out", "--no-mtcnn")
    assert result.exit_code != 0
    assert message in result.output
    assert not isinstance(result.exception, ValueError)
    assert not (tmp_path / "out" / "results.json").exists()


def test_folders_without_a_common_name_are_refused(portraits, tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "other.png")
    result = _evaluate(
        *("--originals", portraits, "--anonymised", tmp_path),
        *("--output", tmp_path / "out", "--no-mtcnn", "--workers", 1),
    )
    assert result.exit_code == 1
    assert "no file name is in both folders" in result.output


def test_tfds_gives_lfw_by_its_usual_names(tmp_path):
    import tensorflow_datasets as tfds

    with tfds.testing.mock_data(num_examples=4):
        photos, problems = datasets.dataset_photos("lfw", tmp_path / "lfw")
        again, _ = datasets.dataset_photos("lfw", tmp_path / "lfw")
        celeba, _ = datasets.dataset_photos("celeba", tmp_path / "celeba")
    assert len(photos) == len(celeba) == 4
    assert not problems
    assert photos == again
    for name, path in (photos | celeba).items():
        owner = name.rpartition("/")[0]
        assert name.startswith(f"{owner}/{owner}_000")
        assert Image.open(path).size == ((250, 250) if name in photos else (178, 218))


def test_a_set_that_tfds_cannot_fetch_is_reported(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def offline(*_, **__):
        raise OSError("no route")

    monkeypatch.setattr(tfds, "load", offline)
    with pytest.raises(DatasetError, match=r"no route.*give a folder"):
        datasets.dataset_photos("celeba", tmp_path)
