"""Photos in, photos out, through the command line."""

import errno
import json
import pathlib
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.anonymise import anonymiser, replace
from anonygan_jax.cli import main
from anonygan_jax.detection.centerface import CenterFace
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.evaluation.collect.comparison import compare
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.methods import make_methods
from anonygan_jax.methods.method import MethodError
from anonygan_jax.methods.refine import Refine
from anonygan_jax.methods.warp import Warp
from anonygan_jax.recognition.thresholds import SAME_PERSON
from anonygan_jax.weights import checkpoint_folder

WARP = ("--method", "warp")  # needs no weights


def _anonymise(*arguments: object):
    return CliRunner().invoke(main.main, ["anonymise", *(str(a) for a in arguments)])


def _image(path: pathlib.Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_all_faces_of_a_photo_change_and_nothing_else(group_photo, tiny_run, tmp_path):
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    result = _anonymise(
        tmp_path / "group.png", "--output", tmp_path / "out", "--checkpoint", tiny_run
    )
    assert result.exit_code == 0, result.output
    assert "2 faces" in result.output
    difference = np.abs(_image(tmp_path / "out" / "group.png") - group_photo).max(-1)
    for face in DlibLandmarks().detect(group_photo):
        x, y = np.rint(face.points_xy[27:36].mean(0)).astype(int)
        assert (difference[y - 5 : y + 6, x - 5 : x + 6] > 0).mean() > 0.9
        left, right = face.points_xy[[0, 16], 0]
        columns = slice(int(left) - 25, int(right) + 25)
        difference[:, columns][int(face.points_xy[:, 1].min()) - 25 :] = 0
    assert difference.max() == 0


def test_by_default_faces_are_warped(group_photo, tmp_path):
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    result = _anonymise(tmp_path / "group.png", "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [face["method"] for face in report["photos"][0]["faces"]] == ["warp"] * 2


def test_auto_prefers_the_model_of_the_package(group_photo, tmp_path):
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    arguments = ("--output", tmp_path / "out", "--method", "auto")
    result = _anonymise(tmp_path / "group.png", *arguments)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    (run,) = report["runs"].values()
    assert run["settings"]["method"] == "auto"
    methods = [face["method"] for face in report["photos"][0]["faces"]]
    assert set(methods) <= {"anonygan", "warp"}
    faces = anonymiser.Anonymiser("auto")(
        group_photo, "group.png"
    ).faces  # the tool's seed
    assert [face.method for face in faces] == methods


def test_a_photo_as_condition_and_the_same_result_twice(
    photo_folder, embedded, tiny_run, tmp_path
):
    arguments = (photo_folder / "group.jpg", "--checkpoint", tiny_run)
    condition = sorted((photo_folder / embedded[0].identity).iterdir())[0]
    for name in ("a", "b"):
        result = _anonymise(
            *arguments, "--condition", condition, "--output", tmp_path / name
        )
        # One of the two people is the condition: that face is pixelated.
        assert result.exit_code == 3, result.output
    first, second = ((tmp_path / n / "group.jpg").read_bytes() for n in "ab")
    assert first == second


def test_bad_photos_leave_no_result_and_the_others_go_on(
    photo_folder, tiny_run, tmp_path
):
    copied = ("--no-face", "copy", *WARP)
    _anonymise(photo_folder / "meadow.png", "--output", tmp_path / "out", *copied)
    assert (tmp_path / "out" / "meadow.png").exists()  # the result of an earlier run
    result = _anonymise(
        photo_folder, "--output", tmp_path / "out", "--checkpoint", tiny_run
    )
    assert result.exit_code == 2
    results = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*.*")}
    assert len(results) == 7 + 1  # and the report
    for name in ("meadow.png", "dot.png", "broken.jpg", "empty.png"):
        assert pathlib.Path(name) not in results
        assert f"{photo_folder / name}: " in result.output
    assert "notes.md: neither a photo nor a video" in result.output
    assert "anonymised 7 of 11 files" in result.output
    assert "no face found in 2, check them; 2 failed; 1 left out" in result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    kinds = {pathlib.Path(p["photo"]).name: p["kind"] for p in report["photos"]}
    assert kinds["notes.md"] == "left out"
    assert kinds["meadow.png"] == kinds["dot.png"] == "no face"
    assert kinds["broken.jpg"] == kinds["empty.png"] == "failed"
    (group,) = [p for p in report["photos"] if p["photo"].endswith("group.jpg")]
    assert group["kind"] == "replaced"
    assert [face["reason"] for face in group["faces"]] == [None, None]
    assert all(face["distances"]["dlib"] > 0.6 for face in group["faces"])
    (run,) = report["runs"].values()
    assert run["settings"]["checkpoint"] == str(tiny_run)


def test_photos_without_a_face_are_copied_when_asked(photo_folder, tmp_path):
    result = _anonymise(
        photo_folder / "meadow.png", "--output", tmp_path, "--no-face", "copy", *WARP
    )
    assert result.exit_code == 0, result.output
    assert "no face found, check it; copied: " in result.output
    copied, before = (
        _image(tmp_path / "meadow.png"),
        _image(photo_folder / "meadow.png"),
    )
    np.testing.assert_array_equal(copied, before)


def test_a_region_is_no_face(photo_folder, tmp_path):
    """A photo without a face is to be looked at, whatever is pixelated in it."""
    arguments = ("--region", "hide:3,3,40,40", *WARP)
    for _ in range(2):
        result = _anonymise(
            photo_folder / "meadow.png", "--output", tmp_path, *arguments
        )
        assert result.exit_code == 4, result.output
        assert "no face found, check it; only regions are pixelated" in result.output
        assert "; no face found in 1, check them" in result.output
    (entry,) = json.loads((tmp_path / "report.json").read_text())["photos"]
    assert entry["kind"] == "no face"
    assert (tmp_path / "meadow.png").exists()


def test_a_region_outside_one_photo_fails_that_photo(photo_folder, tmp_path):
    photos = (photo_folder / "meadow.png", photo_folder / "group.jpg")
    arguments = ("--region", "only:100,0,200,200", "--method", "blackout")
    result = _anonymise(*photos, "--output", tmp_path, *arguments)
    assert result.exit_code == 2, result.output
    line = "region only:100,0,200,200: is outside the picture of 80x60 pixels"
    assert f"error: {photos[0]}: {line}; no result written" in result.output
    assert not (tmp_path / "meadow.png").exists()
    assert (tmp_path / "group.jpg").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--checkpoint", "nowhere", "no config.json there"),
        ("--condition", "nowhere.jpg", "no such file"),
        ("--condition", "meadow.png", "no face found in the condition photo"),
    ],
)
def test_missing_models_and_conditions_are_reported(
    photo_folder, tiny_run, tmp_path, monkeypatch, option, value, message
):
    monkeypatch.chdir(photo_folder)
    options = {"--checkpoint": str(tiny_run), option: value}
    pairs = [word for item in options.items() for word in item]
    result = _anonymise("group.jpg", "--output", tmp_path / "out", *pairs)
    assert result.exit_code == 1
    assert message in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["blackout", "blur", "pixelate", "warp"])
def test_methods_without_training_hide_every_face(group_photo, tmp_path, method):
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    out = tmp_path / "out"
    result = _anonymise(tmp_path / "group.png", "--output", out, "--method", method)
    assert result.exit_code == 0, result.output
    hidden = _image(out / "group.png").astype(np.uint8)
    observer = FaceObserver(use_mtcnn=False)
    for half in (slice(0, 240), slice(240, None)):
        original = observer.original(group_photo[:, half])
        compared = compare(original, observer.result(hidden[:, half], original), 1.0)
        assert compared.descriptor_distance > SAME_PERSON
        if method == "warp":
            assert compared.detected
            assert compared.pose_l2 < 0.06


def test_a_checkpoint_goes_with_anonygan_alone(tmp_path):
    result = _anonymise(
        "a.jpg", "--output", tmp_path, "--method", "blur", "--checkpoint", "x"
    )
    assert result.exit_code == 1
    assert "--checkpoint goes with auto or anonygan or ciagan, not" in result.output


def test_originals_are_never_overwritten(group_photo, tiny_run, tmp_path):
    path = tmp_path / "group.png"
    Image.fromarray(group_photo).save(path)
    before = path.read_bytes()
    result = _anonymise(path, "--output", tmp_path, "--checkpoint", tiny_run)
    assert result.exit_code == 2
    assert "would overwrite" in result.output
    assert path.read_bytes() == before


def test_a_face_that_cannot_be_replaced_is_pixelated(
    group_photo, tiny_run, tmp_path, monkeypatch
):
    def fails(self, *_):
        raise MethodError("not finite")

    monkeypatch.setattr(replace.FaceReplacer, "_replaced", fails)
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    result = _anonymise(
        tmp_path / "group.png", "--output", tmp_path / "out", "--checkpoint", tiny_run
    )
    assert result.exit_code == 3, result.output
    assert "2 pixelated (not finite)" in result.output
    assert "faces pixelated in 1" in result.output
    pixelated = _image(tmp_path / "out" / "group.png").astype(np.uint8)
    assert DlibLandmarks().detect(pixelated, num_upsamples=1) == []


def test_a_pixelated_face_fails_its_photo_when_strict(
    group_photo, tmp_path, monkeypatch
):
    monkeypatch.setattr(replace, "MAX_CONDITIONS", 0)
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    result = _anonymise(
        tmp_path / "group.png", "--output", tmp_path / "out", "--strict", *WARP
    )
    assert result.exit_code == 2
    assert "a face would be pixelated" in result.output
    assert not (tmp_path / "out" / "group.png").exists()


def _detector_raises(monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("no memory")

    monkeypatch.setattr(CenterFace, "boxes", fails)


def _raises(monkeypatch, kind):
    def fails(*_):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(kind, "__call__", fails)


def _return_the_source(monkeypatch, *kinds):
    for kind in kinds:
        monkeypatch.setattr(kind, "__call__", lambda _, faces, __: faces.images.copy())


def _encoder_fails(monkeypatch):
    def fails(self, path, **_):
        pathlib.Path(path).write_bytes(b"half a picture")
        raise OSError("encoder error -2")

    monkeypatch.setattr(Image.Image, "save", fails)


def _disk_is_full(monkeypatch):
    def fails(self, *_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "replace", fails)


@pytest.mark.parametrize(
    ("fault", "method", "code"),
    [
        (_detector_raises, "auto", 2),
        (partial(_raises, kind=Warp), "warp", 3),
        (partial(_raises, kind=Warp), "auto", 3),
        (partial(_raises, kind=Refine), "auto", 3),
        (lambda planted: _return_the_source(planted, Warp), "warp", 3),
        (lambda planted: _return_the_source(planted, Warp, Refine), "auto", 3),
        (_encoder_fails, "auto", 2),
        (_disk_is_full, "auto", 1),
    ],
)
def test_whatever_fails_no_face_is_let_through(
    fault, method, code, group_photo, tmp_path, monkeypatch
):
    path, out = tmp_path / "group.png", tmp_path / "out"
    Image.fromarray(group_photo).save(path)
    observer = FaceObserver(use_mtcnn=False)
    halves = (slice(0, 240), slice(240, None))
    originals = [observer.original(group_photo[:, half]) for half in halves]
    with monkeypatch.context() as planted:
        fault(planted)
        result = _anonymise(path, "--output", out, "--method", method)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert not list(out.rglob(".anonygan*"))
    written = [p for p in out.rglob("*") if p.suffix == ".png"]
    assert bool(written) == (code == 3)
    for file in written:
        hidden = _image(file).astype(np.uint8)
        for half, original in zip(halves, originals, strict=True):
            seen = observer.result(hidden[:, half], original)
            assert not seen.detected
            assert np.linalg.norm(seen.descriptor - original.descriptor) > SAME_PERSON


def test_an_exported_generator_gives_nearly_the_same_faces(
    group_photo, tiny_run, tmp_path
):
    arguments = ["export", str(tiny_run), "--output", str(tmp_path / "small")]
    assert CliRunner().invoke(main.main, arguments).exit_code == 0
    whole, half = (
        anonymiser.Anonymiser(make_methods("anonygan", str(folder)))(group_photo).image
        for folder in (tiny_run, tmp_path / "small")
    )
    difference = np.abs(whole.astype(int) - half)
    assert difference.mean() < 0.1
    for file in (tmp_path / "small").rglob("*"):
        assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes(), file
    assert CliRunner().invoke(main.main, arguments).exit_code != 0  # it exists


def test_any_checkpoint_of_a_run_is_exported(tiny_run, tmp_path):
    arguments = ["export", str(tiny_run), "--output", str(tmp_path / "two")]
    assert CliRunner().invoke(main.main, [*arguments, "--step", "2"]).exit_code == 0
    assert checkpoint_folder.saved_steps(tmp_path / "two") == [2]
    result = CliRunner().invoke(main.main, [*arguments, "--step", "3"])
    assert result.exit_code == 1
    assert "no checkpoint of step 3 there" in result.output
