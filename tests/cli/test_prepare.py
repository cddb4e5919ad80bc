"""Photos to records, through the command line."""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow_datasets
from click.testing import CliRunner
from PIL import Image

from anonygan_jax.cli import main, prepare
from anonygan_jax.data.prepare import job, tfds
from anonygan_jax.data.records import FaceRecords, RecordsError
from anonygan_jax.faces import alignment


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(prepare.main, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def _bytes(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, photo_folder) -> pathlib.Path:
    """Records of the photo folder, two photos a shard, by one worker."""
    output = tmp_path_factory.mktemp("prepared") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "PHOTOS_PER_SHARD", 4)
        _run(photo_folder, "--output", output, "--workers", 1)
    return output


def test_every_photo_is_kept_or_named_with_its_reason(prepared, photo_folder):
    manifest = json.loads((prepared / "manifest.json").read_text())
    reasons = {entry["photo"]: entry["reason"] for entry in manifest["left_out"]}
    kept = {face.file for face in FaceRecords(prepared).read(range(manifest["kept"]))}
    files = [path for path in photo_folder.rglob("*") if path.is_file()]
    assert kept | set(reasons) == {
        p.relative_to(photo_folder).as_posix() for p in files
    }
    assert kept.isdisjoint(reasons)
    assert len(kept) == 7
    assert reasons["meadow.png"] == "no face found in 80x60 pixels"
    assert reasons["dot.png"] == "no face found in 1x1 pixels"
    assert "suffix '.md'" in reasons["notes.md"]
    assert "cannot be decoded" in reasons["broken.jpg"]
    assert "cannot be decoded" in reasons["empty.png"]


def test_tfds_reads_the_records(prepared):
    source = tensorflow_datasets.builder_from_directory(prepared).as_data_source(
        "train"
    )
    assert len(source) == 7
    assert source[0]["image"].shape == (220, 180, 3)
    assert source[0]["points_xy"].shape == (68, 2)


def test_faces_are_framed_as_celeba_frames_them(prepared):
    for face in FaceRecords(prepared).read(range(7)):
        framed = alignment.transform_points(
            alignment.resize_transform((220, 180), alignment.CELEBA_SIZE),
            face.points_xy,
        )
        distance = alignment.face_anchors(framed) - alignment.CELEBA_ANCHORS_XY
        assert np.abs(distance).max() < 6
        assert face.score > 0


def test_identity_is_the_folder(prepared, photo_folder):
    for face in FaceRecords(prepared).read(range(7)):
        parent = pathlib.Path(face.file).parent.name
        assert face.identity == (parent or photo_folder.name)


def test_interrupted_and_parallel_runs_give_the_same_bytes(
    prepared, photo_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(job, "PHOTOS_PER_SHARD", 4)
    shutil.copytree(prepared, tmp_path / "out")
    for name in ("shard-00001.json", "dataset_info.json", "manifest.json"):
        (tmp_path / "out" / name).unlink()
    kept = (tmp_path / "out" / "shard-00000.json").stat().st_mtime_ns
    code = "import sys; from anonygan_jax.cli import prepare as cli; "
    code += "from anonygan_jax.data.prepare import job; "
    code += "job.PHOTOS_PER_SHARD = 4; cli.main(sys.argv[1:])"
    arguments = [photo_folder, "--output", tmp_path / "out", "--workers", 2]
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)
    assert _bytes(tmp_path / "out") == _bytes(prepared)
    assert (tmp_path / "out" / "shard-00000.json").stat().st_mtime_ns == kept


def test_beam_gives_the_same_bytes(prepared, photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(job, "PHOTOS_PER_SHARD", 4)
    _run(photo_folder, "--output", tmp_path / "out", "--beam", "")
    assert _bytes(tmp_path / "out") == _bytes(prepared)


def test_what_beam_does_not_know_is_reported(photo_folder, tmp_path):
    arguments = ["prepare", str(photo_folder), "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main.main, [*arguments, "--beam", "--runner=NoRunner"])
    assert result.exit_code == 1
    assert "NoRunner" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_beam_gives_the_same_bytes_of_200_photos(embedded, tmp_path):
    folder = tmp_path / "photos"
    for face in embedded[:200]:
        path = folder / face.identity / pathlib.Path(face.file).name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face.image).save(path)
    _run(folder, "--output", tmp_path / "here")
    options = "--direct_num_workers=2 --direct_running_mode=multi_processing"
    _run(folder, "--output", tmp_path / "beam", "--beam", options)
    assert _bytes(tmp_path / "here") == _bytes(tmp_path / "beam")
    assert json.loads((tmp_path / "here" / "manifest.json").read_text())["kept"] > 190


@pytest.mark.parametrize("name", ["lfw", "celeb_a"])
def test_photos_of_tfds_sets_are_prepared(name, embedded, tmp_path, monkeypatch):
    def export(builder, split, folder):
        assert (builder, split) == (name, "test")
        for face in embedded[:2]:
            path = folder / face.identity / pathlib.Path(face.file).name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(face.image).save(path)

    monkeypatch.setattr(prepare, "export_photos", export)
    _run("--output", tmp_path, "--tfds", name, "--split", "test")
    faces = FaceRecords(tmp_path).read([0, 1])
    identities = {face.identity for face in faces}
    assert identities == {face.identity for face in embedded[:2]}
    if name == "celeb_a":  # photos are framed already
        np.testing.assert_array_equal(faces[0].crop, np.eye(2, 3))


def test_mocked_tfds_sets_are_written_once(tmp_path):
    with tensorflow_datasets.testing.mock_data(num_examples=3):
        for _ in range(2):
            tfds.export_photos("celeb_a", "validation", tmp_path / "photos")
    photos = [x for x in (tmp_path / "photos").rglob("*") if x.is_file()]
    assert len(photos) == 3  # and nothing else, which would be called no photo
    assert all(path.name.startswith(f"{path.parent.name}_") for path in photos)
    assert all(path.parent.name.isdigit() for path in photos)  # numbers of people


def test_photos_or_a_set_must_be_given(tmp_path):
    for arguments in ([], ["photos", "--tfds", "lfw"]):
        result = CliRunner().invoke(
            main.main, ["prepare", *arguments, "--output", str(tmp_path)]
        )
        assert result.exit_code == 1
        assert "give PHOTOS or --tfds" in result.output


def test_other_settings_do_not_mix_into_a_folder(prepared, photo_folder):
    before = _bytes(prepared)
    arguments = [str(photo_folder), "--output", str(prepared), "--size", "110x90"]
    result = CliRunner().invoke(prepare.main, arguments)
    assert result.exit_code == 1
    assert "other photos or settings" in result.output
    assert _bytes(prepared) == before


def test_aligned_photos_with_an_identities_file(embedded, photo_folder, tmp_path):
    folder = photo_folder / embedded[0].identity
    names = sorted(path.name for path in folder.iterdir())
    (tmp_path / "identity.txt").write_text(f"{names[0]} 17\n{names[1]} 4\n")
    identities = ("--identities", tmp_path / "identity.txt")
    _run(folder, "--output", tmp_path / "out", "--aligned", *identities)
    faces = FaceRecords(tmp_path / "out").read([0, 1])
    assert [face.identity for face in faces] == ["17", "4"]
    np.testing.assert_array_equal(faces[0].crop, np.eye(2, 3))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["left_out"] == [
        {"photo": names[2], "reason": "not named in the identities file"}
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["notes.md", "--size", "12"], "not HEIGHTxWIDTH"),
        (["notes.md", "--size", "8x8"], "smaller than 16x16"),
        (["notes.md", "--identities", "bad.txt"], "line 2"),
    ],
)
def test_wrong_arguments_get_one_clear_line(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").touch()
    (tmp_path / "bad.txt").write_text("a.jpg 1\nb.jpg\n")
    result = CliRunner().invoke(prepare.main, [*arguments, "--output", "out"])
    assert result.exit_code != 0
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(RecordsError, match="anonygan prepare"):
        FaceRecords(tmp_path)


@pytest.mark.parametrize("options", [["--workers", "1"], ["--beam", ""]])
def test_a_full_disk_is_one_line_and_leaves_nothing_unfinished(
    options, photo_folder, tmp_path, limited_files
):
    output = tmp_path / "out"
    arguments = ["prepare", str(photo_folder), "--output", str(output), *options]
    with limited_files(30_000):  # bytes; the shard is larger
        result = CliRunner().invoke(main.main, arguments)
    assert result.exit_code == 1
    line = result.output.splitlines()[-1]
    assert line.startswith("Error: ")
    assert "cannot be written: write() failed: File too large" in line
    assert [path.name for path in output.iterdir()] == ["plan.json"]
    assert CliRunner().invoke(main.main, arguments).exit_code == 0


def test_a_folder_that_cannot_be_written_to_is_one_line(photo_folder, tmp_path):
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "out"
    arguments = ["prepare", str(photo_folder), "--output", str(output)]
    result = CliRunner().invoke(main.main, arguments)
    assert result.exit_code == 1
    assert result.output == f"Error: {output}: Not a directory\n"


def test_mistyped_options_of_beam_are_refused_before_anything(photo_folder, tmp_path):
    arguments = ["--output", str(tmp_path / "out"), "--beam", "--runnr=FlinkRunner"]
    for command in ("prepare", "anonymise"):
        result = CliRunner().invoke(main.main, [command, str(photo_folder), *arguments])
        assert result.exit_code == 1
        assert "Beam has no option --runnr" in result.output.splitlines()[-1]
        assert not (tmp_path / "out").exists()
