"""Photos in, photos out, through the command line."""

import pathlib

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.anonymise import cli, pipeline
from anonygan_jax.data.descriptors import SAME_PERSON
from anonygan_jax.data.landmarks import DlibLandmarks
from anonygan_jax.evaluation.comparison import compare
from anonygan_jax.evaluation.observation import Observer
from anonygan_jax.methods import MethodError, make_method


def _anonymise(*arguments: object):
    return CliRunner().invoke(cli.main, ["anonymise", *(str(a) for a in arguments)])


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


def test_a_photo_as_condition_and_the_same_result_twice(
    photo_folder, embedded, tiny_run, tmp_path
):
    arguments = (photo_folder / "group.jpg", "--checkpoint", tiny_run)
    condition = sorted((photo_folder / embedded[0].identity).iterdir())[0]
    for name in ("a", "b"):
        result = _anonymise(
            *arguments, "--condition", condition, "--output", tmp_path / name
        )
        assert result.exit_code == 0, result.output
    first, second = ((tmp_path / n / "group.jpg").read_bytes() for n in "ab")
    assert first == second


def test_bad_photos_leave_no_result_and_the_others_go_on(
    photo_folder, tiny_run, tmp_path
):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "meadow.png").write_bytes(b"result of an earlier run")
    result = _anonymise(
        photo_folder, "--output", tmp_path / "out", "--checkpoint", tiny_run
    )
    assert result.exit_code == 1
    results = {p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*.*")}
    assert len(results) == 7
    for name in ("meadow.png", "dot.png", "broken.jpg", "empty.png"):
        assert pathlib.Path(name) not in results
        assert f"{photo_folder / name}: " in result.output
    assert "notes.md: not a photo" in result.output
    assert "anonymised 7 of 11 photos" in result.output


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--checkpoint", "nowhere", "no config.json there"),
        ("--condition", "nowhere.jpg", "no such file"),
        ("--condition", "meadow.png", "no face found in the condition photo"),
    ],
)
def test_missing_models_and_conditions_are_told(
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
    observer = Observer(use_mtcnn=False)
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
    assert result.exit_code == 2
    assert "--checkpoint goes with anonygan" in result.output


def test_originals_are_never_overwritten(group_photo, tiny_run, tmp_path):
    path = tmp_path / "group.png"
    Image.fromarray(group_photo).save(path)
    before = path.read_bytes()
    result = _anonymise(path, "--output", tmp_path, "--checkpoint", tiny_run)
    assert result.exit_code == 1
    assert "would overwrite" in result.output
    assert path.read_bytes() == before


def test_a_face_that_cannot_be_replaced_is_covered(
    group_photo, tiny_run, tmp_path, monkeypatch
):
    def fails(self, *_):
        raise MethodError("not finite")

    monkeypatch.setattr(pipeline.Anonymiser, "_hide", fails)
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    result = _anonymise(
        tmp_path / "group.png", "--output", tmp_path / "out", "--checkpoint", tiny_run
    )
    assert result.exit_code == 0, result.output
    assert "2 covered (not finite)" in result.output
    covered = _image(tmp_path / "out" / "group.png").astype(np.uint8)
    assert DlibLandmarks().detect(covered, num_upsamples=1) == []


def test_an_exported_generator_gives_nearly_the_same_faces(
    group_photo, tiny_run, tmp_path
):
    arguments = ["export", str(tiny_run), "--output", str(tmp_path / "small")]
    assert CliRunner().invoke(cli.main, arguments).exit_code == 0
    whole, half = (
        pipeline.Anonymiser(make_method("anonygan", str(folder)))(group_photo)[0]
        for folder in (tiny_run, tmp_path / "small")
    )
    difference = np.abs(whole.astype(int) - half)
    assert difference.mean() < 0.1
    for file in (tmp_path / "small").rglob("*"):
        assert file.is_dir() or str(tmp_path).encode() not in file.read_bytes(), file
    assert CliRunner().invoke(cli.main, arguments).exit_code != 0  # it exists
