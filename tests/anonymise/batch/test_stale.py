"""No stale result: contents count, not names; errors of reading delete nothing."""

import dataclasses
import errno
import json
import os
import pathlib
import shutil

import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import contents
from anonygan_jax.anonymise.batch.contents import About, fingerprint_of
from anonygan_jax.anonymise.batch.file_results import FileResult
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.composites.bank import embedded_bank
from anonygan_jax.io import photos
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.weights.checkpoint_folder import checkpoint_path

pytestmark = pytest.mark.usefixtures("in_this_process")
WARP, BLUR = Settings("warp"), Settings("blur")


@pytest.fixture
def folder(tmp_path, embedded) -> pathlib.Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(embedded[8 * number].image).save(folder / f"{number}.png")
    return folder


def _run(folder: pathlib.Path, settings: Settings, **tables):
    out = folder.parent / "out"
    with BatchRun((str(folder),), out, settings, **tables) as run:
        return {pathlib.Path(r.photo).name: r for r in run.results()}


def _changed(path: pathlib.Path) -> None:
    """Other contents of the same size, at the same time."""
    about, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_mtime_ns == about.st_mtime_ns


def test_other_contents_of_size_and_time_are_another_file(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 64)
    before = fingerprint_of(path)
    _changed(path)
    assert fingerprint_of(path) != before
    monkeypatch.setattr(contents, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(contents, "PART_BYTES", 100)
    before = fingerprint_of(path)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert fingerprint_of(path) != before


@pytest.mark.parametrize("option", ["keep", "only", "condition"])
def test_other_contents_of_a_photo_that_settings_name_are_another_run(
    option, folder, tmp_path
):
    photo = folder / "0.png"
    value = str(photo) if option == "condition" else (str(photo),)
    settings = Settings("blur", **{option: value})
    before = About.of(settings).key
    copy = shutil.copy(photo, tmp_path / "0.png")
    moved = str(copy) if option == "condition" else (str(copy),)
    moved_settings = dataclasses.replace(settings, **{option: moved})
    assert About.of(moved_settings).key == before
    _changed(photo)
    assert About.of(settings).key != before


def test_other_contents_of_tables_banks_and_checkpoints_are_another_run(
    tiny_run, tmp_path
):
    table = tmp_path / "faces.csv"
    table.write_text("file,x,y,width,height\na.png,1,2,3,4\n")
    before = About.of(BLUR, table).key
    table.write_text("file,x,y,width,height\na.png,1,2,3,5\n")
    assert About.of(BLUR, table).key != before
    bank = shutil.copytree(embedded_bank(), tmp_path / "bank")
    of_bank = Settings("warp", condition=str(bank))
    before = About.of(of_bank).key
    assert About.of(Settings("warp")).key == before  # it is a copy of the package's
    _changed(bank / "faces.npz")
    assert About.of(of_bank).key != before
    one, two = (
        shutil.copytree(checkpoint_path("embedded"), tmp_path / name)
        for name in ("one", "two")
    )
    keys = {About.of(Settings("auto", checkpoint=str(p))).key for p in (one, two)}
    assert len(keys) == 1
    step = tiny_run / "checkpoints" / "4"
    shutil.copytree(tiny_run, tmp_path / "tiny")
    of_tiny = Settings("anonygan", checkpoint=str(tmp_path / "tiny"))
    before = About.of(of_tiny).key
    shutil.rmtree(tmp_path / "tiny" / "checkpoints" / "4")
    shutil.copytree(step.with_name("2"), tmp_path / "tiny" / "checkpoints" / "4")
    assert About.of(of_tiny).key != before


def test_another_photo_of_a_kept_person_makes_other_results(folder, tmp_path):
    reference = shutil.copy(folder / "0.png", tmp_path / "me.png")
    settings = Settings("blur", keep=(str(reference),))
    kept = [face.status for face in _run(folder, settings)["0.png"].faces]
    shutil.copy(folder / "1.png", reference)
    again = [face.status for face in _run(folder, settings)["0.png"].faces]
    assert (kept, again) == (["kept"], ["replaced"])


def _unreadable(monkeypatch, name: str, folder: str = "in") -> None:
    """A photo of a folder that gives errors of reading."""
    opened, read = photos.Image.open, pathlib.Path.open

    def fails(original, path, *arguments, **options):
        if pathlib.Path(path).parts[-2:] == (folder, name):
            raise OSError(errno.EIO, "Input/output error")
        return original(path, *arguments, **options)

    monkeypatch.setattr(photos.Image, "open", lambda *a, **o: fails(opened, *a, **o))
    monkeypatch.setattr(pathlib.Path, "open", lambda *a, **o: fails(read, *a, **o))


@pytest.mark.parametrize("settings", [WARP, BLUR], ids=["warp", "blur"])
def test_an_error_of_reading_leaves_a_finished_result(settings, folder, monkeypatch):
    assert {r.kind for r in _run(folder, settings).values()} == {"replaced"}
    result = folder.parent / "out" / "1.png"
    before = result.read_bytes()
    Image.new("RGB", (9, 9)).save(folder / "3.png")  # a reason to go on
    with monkeypatch.context() as planted:
        _unreadable(planted, "1.png")
        results = _run(folder, settings)
    assert results["1.png"].kind == "failed"
    assert "cannot be read (Input/output error)" in results["1.png"].reason
    assert results["2.png"].kind == "replaced"
    assert result.read_bytes() == before
    inode = result.stat().st_ino
    assert _run(folder, settings)["1.png"].kind == "replaced"
    assert result.stat().st_ino == inode  # nothing had to be done again


@pytest.mark.parametrize("is_below", [True, False], ids=["below the input", "beside"])
def test_an_unreadable_result_fails_its_file_alone(is_below, folder, monkeypatch):
    """Two settings, so that both runs have an entry of its name."""
    out = folder / "out" if is_below else folder.parent / "out"

    def run(settings: Settings) -> dict[str, FileResult]:
        with BatchRun((str(folder),), out, settings) as run:
            results = list(run.results())
        return {
            pathlib.Path(r.photo).relative_to(folder).as_posix(): r for r in results
        }

    run(WARP)
    run(BLUR)
    before = (out / "1.png").read_bytes()
    Image.new("RGB", (9, 9)).save(folder / "3.png")  # a reason to go on
    with monkeypatch.context() as planted:
        _unreadable(planted, "1.png", "out")
        results = run(BLUR)
    unreadable = ["1.png", *(["out/1.png"] if is_below else [])]
    failed = {name: r.reason for name, r in results.items() if r.kind == "failed"}
    assert sorted(failed) == unreadable
    assert all("cannot be read" in reason for reason in failed.values())
    assert (out / "1.png").read_bytes() == before
    names = sorted(path.name for path in out.iterdir())
    assert names == ["0.png", "1.png", "2.png", "report.json"]
    report = json.loads((out / "report.json").read_text())["photos"]
    kinds = {entry["kind"] for entry in report if entry["name"] == "1.png"}
    assert kinds == {"failed", "replaced"}  # what is there stays known
    again = run(BLUR)
    assert sorted(again) == ["0.png", "1.png", "2.png", "3.png"]
    assert again["1.png"].kind == "replaced"


def test_a_search_that_fails_on_a_resumed_run_leaves_the_result(folder, monkeypatch):
    _run(folder, WARP)
    result = folder.parent / "out" / "1.png"
    before = result.stat().st_ino
    Image.new("RGB", (9, 9)).save(folder / "3.png")
    found = Worker._found

    def fails(self, task):
        if task.name == "1.png":
            raise PhotoError("cannot be decoded just now")
        return found(self, task)

    with monkeypatch.context() as planted:
        planted.setattr(Worker, "_found", fails)
        results = _run(folder, WARP)
    assert results["1.png"].kind == "failed"
    assert "the result of an earlier run is left" in results["1.png"].reason
    assert result.stat().st_ino == before
    assert _run(folder, WARP)["1.png"].kind == "replaced"
    assert result.stat().st_ino == before


def test_a_failed_photo_leaves_no_result_of_its_older_contents(folder):
    _run(folder, BLUR)
    (folder / "1.png").write_bytes(b"broken now")
    assert _run(folder, BLUR)["1.png"].kind == "failed"
    assert not (folder.parent / "out" / "1.png").exists()
    assert (folder.parent / "out" / "2.png").exists()


def test_a_photo_that_changes_while_it_is_processed_fails(
    folder, embedded, monkeypatch
):
    """Else faces of the new photo would be hidden where those of the old one were."""
    found = Worker.find

    def find(self, task):
        searched = found(self, task)
        if task.name == "1.png":
            Image.fromarray(embedded[100].image[::-1]).save(task.photo)
        return searched

    monkeypatch.setattr(Worker, "find", find)
    result = _run(folder, BLUR)["1.png"]
    assert result.kind == "failed"
    assert "it changed while it was processed" in result.reason
    assert not (folder.parent / "out" / "1.png").exists()
