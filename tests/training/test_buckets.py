"""A run whose workdir and data are in buckets; minutes, so nightly."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest
from buckets import google_cloud_storage, s3
from click.testing import CliRunner
from conftest import ROOT
from tiny_run import STOPPED, finish, start

from anonygan_jax.cli.main import main
from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecords
from anonygan_jax.io import paths
from anonygan_jax.weights.checkpoint_folder import saved_steps
from anonygan_jax.weights.generator_checkpoint import load_generator

pytestmark = pytest.mark.slow

WORKDIR = "gs://bucket/runs/tiny"
FIELDS = {
    "data.directory": "s3://bucket/faces",
    "run.num_checkpoints": 2,
    "run.picture_every_x_steps": 4,
    "evaluation.methods": "()",
    "evaluation.use_mtcnn": False,
    "evaluation.num_workers": 1,
}


@pytest.fixture(scope="module", autouse=True)
def buckets(tmp_path_factory):
    """Both servers, with the embedded faces as data in S3."""
    with google_cloud_storage(), s3(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        faces = FaceRecords(EMBEDDED_COMPOSITES).directory
        for file in faces.iterdir():
            paths.upload(file, paths.path_of(f"s3://bucket/faces/{file.name}"))
        yield


def _start(folder: pathlib.Path, *flags: str, **fields: object) -> subprocess.Popen:
    """The program in a process of its own, in an empty folder."""
    return start(WORKDIR, FIELDS | fields, flags, folder)


def _lines() -> list[dict[str, float]]:
    """What is logged in the bucket."""
    path = paths.path_of(f"{WORKDIR}/metrics.jsonl")
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def _wait_for_lines(count: int, run: subprocess.Popen) -> None:
    deadline = time.monotonic() + 200
    while len(_lines()) < count:
        if time.monotonic() > deadline:
            run.kill()
        assert run.poll() is None, run.communicate()[0][-3000:]
        time.sleep(0.2)


def _anonygan(*arguments: object) -> str:
    """The output of a command that succeeds."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_in_a_bucket_is_killed_goes_on_and_is_used(tmp_path, photo_folder):
    empty = tmp_path / "empty"
    empty.mkdir()
    workdir = paths.path_of(WORKDIR)

    process = _start(empty, optimiser__num_steps=100_000)
    _wait_for_lines(4, process)
    process.kill()
    process.communicate()
    process = _start(empty, optimiser__num_steps=100_000)
    _wait_for_lines(8, process)
    process.send_signal(signal.SIGTERM)
    text = finish(process, STOPPED)
    assert "fetching" not in text  # the data was, by the process before
    step = saved_steps(workdir)[-1]
    assert f"asked to stop: step {step} is saved" in text
    text = finish(_start(empty, optimiser__num_steps=step + 3))
    assert f"training from step {step} to {step + 3}" in text

    assert [line["step"] for line in _lines()] == [*range(1, step + 4)]
    kept = saved_steps(workdir)
    assert (len(kept), kept[-1]) == (2, step + 3)  # older ones are removed
    names = set(paths.files_in(workdir))
    assert {"config.json", "pictures/00000004.png"} <= names
    assert any(name.startswith("events.") for name in names)
    assert f"checkpoints: {kept[0]}, {kept[1]}" in _anonygan("train-status", WORKDIR)
    _anonygan("export", WORKDIR, "--output", tmp_path / "export")
    assert load_generator(tmp_path / "export")[2] == step + 3
    output = _anonygan(
        *("anonymise", photo_folder / "group.jpg", "--output", tmp_path / "out"),
        *("--checkpoint", WORKDIR, "--workers", 1),
    )
    assert "group.jpg" in output

    originals = shutil.copytree(photo_folder, tmp_path / "photos")
    flags = ("--mode=evaluate", f"--config.evaluation.originals={originals}")
    text = finish(_start(empty, *flags))
    assert "report of step" in text
    report = workdir / "evaluation" / f"{step + 3:08d}" / "report.md"
    assert f"tiny, step {step + 3}" in report.read_text()
    assert not list(empty.iterdir())  # no folder called gs:


def test_a_damaged_checkpoint_in_a_bucket_is_set_aside(tmp_path):
    workdir = paths.path_of(WORKDIR)
    before, last = saved_steps(workdir)
    folder = workdir / "checkpoints" / str(last) / "training"
    (folder / "manifest.ocdbt").write_bytes(b"")
    text = finish(_start(tmp_path, optimiser__num_steps=last))
    assert f"checkpoint {last} cannot be read" in text
    assert f"training from step {before} to {last}" in text
    assert (workdir / "checkpoints" / f"damaged_{last}").exists()
    assert saved_steps(workdir) == [before, last]


def test_photos_are_prepared_from_one_bucket_into_another(photo_folder):
    for file in photo_folder.rglob("*"):
        if file.is_file():
            name = file.relative_to(photo_folder)
            paths.upload(file, paths.path_of(f"gs://bucket/photos/{name}"))
    output = paths.path_of("s3://bucket/prepared")
    arguments = ("prepare", "gs://bucket/photos", "--output", output, "--workers", 1)
    text = _anonygan(*arguments)
    assert "photos prepared in s3://bucket/prepared" in text
    shard = next(output.glob("faces-train*"))
    before = shard.stat()
    assert _anonygan(*arguments) == text
    assert shard.stat() == before  # it was complete
    _anonygan("prepare", "--pack", output, "--output", "gs://bucket/packs")
    assert paths.path_of("gs://bucket/packs/prepared.npz").exists()


def test_a_bucket_that_is_not_there_is_one_line(tmp_path):
    command = [sys.executable, "-m", "anonygan_jax.main", "--config=composites"]
    done = subprocess.run(
        [*command, "--workdir=gs://nowhere/run"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "compiling" not in done.stderr
    assert "error: gs://nowhere/run" in done.stderr.splitlines()[-1]
    result = CliRunner().invoke(main, ["train-status", "gs://nowhere/run"])
    assert result.exit_code == 1
    assert "gs://nowhere/run: no config.json there" in result.output
