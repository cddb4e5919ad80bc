"""Reports: several runs, runs at once, what is left out, what is damaged."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import threading

import filelock
import numpy as np
import pytest
from PIL import Image

from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.file_results import (
    FAILED,
    NO_FACE,
    REPLACED,
    FileResult,
    exit_code,
    summary,
)
from anonygan_jax.anonymise.batch.folder_lock import LOCK, OutputError, locked
from anonygan_jax.anonymise.batch.journal import JOURNAL
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.inputs import PhotoFile
from tests.stubbed_tool import StubbedTool


@pytest.fixture(scope="module")
def tool():
    tool = StubbedTool()
    yield tool
    tool.close()


def _photo(path: pathlib.Path, value: int = 200) -> pathlib.Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(np.full((24, 24, 3), value, np.uint8)).save(path)
    return path


def _report(out: pathlib.Path) -> dict:
    return json.loads((out / "report.json").read_text())


def _names(out: pathlib.Path) -> list[str]:
    return [entry["name"] for entry in _report(out)["photos"]]


def test_several_runs_into_a_folder_are_all_in_its_report(tool, tmp_path):
    out = tmp_path / "out"
    one, two = (_photo(tmp_path / n / f"{n}.png") for n in ("one", "two"))
    assert tool(one, "--output", out)[0] == 0
    assert tool(two, "--output", out, "--min-face", "7")[0] == 0
    report = _report(out)
    assert _names(out) == ["one.png", "two.png"]
    faces = [
        report["runs"][entry["run"]]["settings"]["min_face"]
        for entry in report["photos"]
    ]
    assert faces == [0, 7]
    inode = (out / "one.png").stat().st_ino
    assert tool(one, "--output", out)[0] == 0  # as it was, though another run was last
    assert (out / "one.png").stat().st_ino == inode
    assert _names(out) == ["one.png", "two.png"]


def test_a_result_of_another_photo_is_not_replaced(tool, tmp_path):
    one, two = (_photo(tmp_path / n / "a.png", v) for n, v in (("x", 200), ("y", 210)))
    out = tmp_path / "out"
    assert tool(one, "--output", out)[0] == 0
    before = (out / "a.png").read_bytes()
    code, screen = tool(two, "--output", out)
    assert code == 0, screen
    assert (out / "a.png").read_bytes() == before
    assert _names(out) == ["a.png", "a-2.png"]
    one.rename(tmp_path / "moved.png")
    (tmp_path / "z").mkdir()
    moved = (tmp_path / "moved.png").rename(tmp_path / "z" / "a.png")
    assert tool(moved, "--output", out)[0] == 0  # the same photo


def test_a_moved_folder_of_results_is_known(tool, tmp_path):
    photo = _photo(tmp_path / "in" / "sub" / "a.png")
    assert tool(tmp_path / "in", "--output", tmp_path / "out")[0] == 0
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    inode = (moved / "sub" / "a.png").stat().st_ino
    os.utime(photo, (0, 0))  # a clock that was wrong
    code, screen = tool(photo.parents[1], "--output", moved)
    assert (code, (moved / "sub" / "a.png").stat().st_ino) == (0, inode), screen


def test_a_missing_input_fails_and_the_others_go_on(tool, tmp_path):
    photo, out = _photo(tmp_path / "a.png"), tmp_path / "out"
    missing = (tmp_path / "b.png", tmp_path / "fotos", tmp_path / "list.txt")
    code, screen = tool(photo, *missing, missing[0], "--output", out)
    assert code == 2, screen
    for path in missing:
        line = f"error: {path}: no such file or folder; no result written"
        assert screen.count(line) == 1, screen
    assert "anonymised 1 of 4 files" in screen
    assert "; 3 failed" in screen
    kinds = {entry["name"]: entry["kind"] for entry in _report(out)["photos"]}
    failed = dict.fromkeys(("b.png", "fotos", "list.txt"), FAILED)
    assert kinds == {"a.png": REPLACED, **failed}
    code, screen = tool(*missing, "--output", tmp_path / "none")
    assert code == 1
    assert f"{missing[0]}: no such file or folder" in screen


def test_what_is_left_out_is_named_counted_and_in_the_exit_code(tool, tmp_path):
    folder = tmp_path / "in"
    _photo(folder / "a.png")
    (folder / "a.psd").write_bytes(b"a photo of another format")
    (folder / "gone.png").symlink_to("nowhere")
    (folder / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpg")
    code, screen = tool(folder, "--output", tmp_path / "out")
    assert code == 4
    for line in (
        "a.psd: neither a photo nor a video by its suffix, left out",
        "gone.png: a link to nowhere, which is not there, left out",
        "again: a link to ",
        "pipe.jpg: neither a file nor a folder, left out",
        "anonymised 1 of 1 files",
        "; 4 left out",
    ):
        assert line in screen
    assert len(_report(tmp_path / "out")["photos"]) == 5
    _photo(tmp_path / "b.png", 50)
    code, screen = tool(tmp_path / "b.png", "--output", tmp_path / "out")
    assert (code, "no face found in 1, check them" in screen) == (4, True)


def test_a_foreign_or_damaged_report_stops_the_run(tool, tmp_path):
    photo = _photo(tmp_path / "a.png")
    for name, text in (
        ("report.json", '{"photos": [1, 2]}'),
        ("report.json", '{"runs": {}, "pho'),
        ("report.json", '{"runs": ' + "[" * 100_000),
        (JOURNAL, "my notes"),
        (LOCK, "my lock"),
    ):
        out = tmp_path / name
        out.mkdir(exist_ok=True)
        (out / name).write_text(text)
        code, screen = tool(photo, "--output", out)
        assert code == 1
        assert f"{name}: " in screen
        assert [(p.name, p.read_text()) for p in out.iterdir()] == [(name, text)]


def test_a_damaged_line_of_a_journal_costs_its_entry_alone(tool, tmp_path):
    _photo(tmp_path / "in" / "a.png")
    _photo(tmp_path / "in" / "b.png")
    for at in range(1, 60):  # until both results are there, and no report
        out = tmp_path / f"out{at}"
        fault = {"at": at, "kind": "kill", "root": str(tmp_path)}
        code, _ = tool(tmp_path / "in", "--output", out, **fault)
        has_report = (out / "report.json").exists()
        if code == -9 and len(list(out.glob("[ab].png"))) == 2 and not has_report:
            break
    lines = (out / JOURNAL).read_bytes().splitlines()
    number = [n for n, line in enumerate(lines) if b'"b.png"' in line][-1]
    for n, line in enumerate(lines):
        if n and b'"b.png"' in line:
            lines[n] = line[:40] + b"\0\xff\0"
    assert number
    (out / JOURNAL).write_bytes(b"\n".join(lines) + b"\n")
    code, screen = tool(tmp_path / "in", "--output", out)
    assert code == 2
    assert "is damaged, left out" in screen
    assert "b.png is there and is no result of this tool" in screen
    assert {e["name"]: e["kind"] for e in _report(out)["photos"]} == {
        "a.png": "replaced",
        "b.png": "failed",
    }


def test_runs_at_once_into_a_folder_take_turns(tool, tmp_path):
    tools = [tool, StubbedTool()]
    out, codes = tmp_path / "out", []

    def run(tool: StubbedTool, number: int) -> None:
        photo = _photo(tmp_path / "in" / f"{number}.png", 200 + number)
        codes.append(tool(photo, "--output", out)[0])

    for round_ in range(4):
        threads = [
            threading.Thread(target=run, args=(each, 2 * round_ + number))
            for number, each in enumerate(tools)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    tools[1].close()
    assert codes == [0] * 8
    assert sorted(_names(out)) == [f"{n}.png" for n in range(8)]
    assert len(list(out.iterdir())) == 8 + 1


def test_a_waiting_run_says_so_and_a_lock_ends_with_its_process(tmp_path, caplog):
    holder = (
        "import sys; from anonygan_jax.anonymise.batch.folder_lock import locked\n"
        "import pathlib\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holder, tmp_path / "out"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    process.stdout.readline()
    with pytest.raises(filelock.Timeout):
        filelock.FileLock(tmp_path / "out" / LOCK).acquire(timeout=0)
    waiting = threading.Thread(target=_lock, args=(tmp_path / "out",))
    waiting.start()
    while "waiting for another run" not in caplog.text:
        waiting.join(0.01)
    process.kill()
    process.wait()
    waiting.join()
    assert not (tmp_path / "out" / LOCK).exists()


def test_a_folder_that_another_run_removes_is_made_again(tmp_path, monkeypatch):
    """A run that ends removes the empty folders that it made."""
    make, removals = pathlib.Path.mkdir, [1, 2, 1]
    out = tmp_path / "a" / "b"

    def mkdir(path: pathlib.Path, *arguments, **options) -> None:
        make(path, *arguments, **options)
        if path == out and removals:
            for folder in (out, out.parent)[: removals.pop()]:
                folder.rmdir()

    monkeypatch.setattr(pathlib.Path, "mkdir", mkdir)
    with locked(out):
        assert (out / LOCK).exists()
        assert not removals
    assert not list(tmp_path.iterdir())


def _lock(folder: pathlib.Path) -> None:
    with locked(folder):
        pass


def test_folders_made_for_nothing_are_removed(tmp_path):
    with locked(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b" / LOCK).exists()
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write to"):
        _lock(tmp_path / "file" / "out")


def test_a_table_of_faces_replaces_nothing_but_a_table(tool, tmp_path):
    photo, out = _photo(tmp_path / "a.png"), tmp_path / "out"
    for suffix in (".csv", ".json"):
        table = tmp_path / f"faces{suffix}"
        table.write_text("my own table\n1,2,3\n")
        code, screen = tool(photo, "--output", out, "--tracks", table)
        assert (code, "is there and no table of this tool" in screen) == (1, True)
        assert table.read_text() == "my own table\n1,2,3\n"
        table.unlink()
        for _ in range(2):
            assert tool(photo, "--output", out, "--tracks", table)[0] == 0
        arguments = (photo, "--output", out, "--tracks", table, "--boxes", table)
        code, screen = tool(*arguments)
        assert (code, "is read, too" in screen) == (1, True)


@pytest.mark.parametrize("name", ["report.json", "REPORT.json", "../out/report.json"])
def test_a_table_of_faces_is_not_the_report(name, tool, tmp_path):
    photo, out = _photo(tmp_path / "a.png"), tmp_path / "out"
    code, screen = tool(photo, "--output", out, "--tracks", out / name)
    assert (code, "is the name of the report" in screen) == (1, True), screen
    assert not out.exists()


def test_folders_are_listed_as_often_for_many_files_as_for_few(tmp_path, monkeypatch):
    """Else the time of files without a result would grow with their square."""
    listed, scandir = [], os.scandir

    def counted(path="."):
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    counts, about = [], About.of(Settings("blackout"))
    for number in (1, 9):
        listed.clear()
        out = tmp_path / f"{number}"
        with OutputFolder.opened(out, about) as folder:
            for name in (f"{n}.png" for n in range(number)):
                photo = _photo(tmp_path / "in" / name)
                task = folder.task(PhotoFile(photo, name), out / name)
                kind = NO_FACE if name < "4" else FAILED
                folder.settle(task, FileResult(str(photo), kind, reason="planted"))
        counts.append(sum(os.fspath(path) == str(out) for path in listed))
    assert counts[0] == counts[1]


def test_results_that_are_not_whole_are_counted(tmp_path):
    whole = FileResult("a.mp4", REPLACED, "out/a.mp4", num_frames=3)
    results = [
        whole,
        dataclasses.replace(whole, num_broken=2),
        dataclasses.replace(whole, note="no sound"),
    ]
    last = "with broken packets or notes, see above"
    assert f"; 2 {last}" in summary(results, tmp_path)
    assert last not in summary(results[:1], tmp_path)
    assert exit_code(results) == 0


def test_rows_of_other_files_are_named_and_those_that_are_nowhere_fail_their_file(
    tool, tmp_path
):
    for name in ("a", "b", "c"):
        _photo(tmp_path / "in" / f"{name}.png")
    table = tmp_path / "faces.csv"
    table.write_text(
        "file,frame,x,y,width,height\n"
        "a.png,0,5,5,9,9\n"
        "b.png,1,5,5,9,9\n"
        "c.png,0,24,5,9,9\n"
        "A.png,0,5,5,9,9\n"
        "in/a.png,0,5,5,9,9\n"
    )
    out = tmp_path / "out"
    code, screen = tool(tmp_path / "in", "--output", out, "--boxes", table)
    assert code == 2, screen
    assert "b.png: a box is in frame 1, the last frame is 0; no result" in screen
    assert "outside the picture of 24x24 pixels; no result written" in screen
    left_out = "faces.csv: its rows of 2 files that are not in the input (A.png, in/a"
    assert left_out in screen
    assert (out / "a.png").exists()
    alone = tool(tmp_path / "in" / "a.png", "--output", out, "--boxes", table)
    assert alone[0] == 4, alone[1]


def test_a_file_name_stays_on_its_line(tool, tmp_path):
    _photo(tmp_path / "in" / "a\nerror: b.png")
    code, screen = tool(tmp_path / "in", "--output", tmp_path / "out")
    assert code == 0, screen
    assert len(screen.strip().splitlines()) == 2


def test_names_that_are_not_utf8_are_processed_and_shown(tool, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    photo = _photo(tmp_path / "a.png")
    name = os.fsdecode(b"caf\xe9.png")
    try:
        photo.rename(folder / name)
    except OSError:
        pytest.skip("a file system of UTF-8 alone")
    table = tmp_path / "faces.csv"
    for _ in range(2):
        code, screen = tool(folder, "--output", out, "--tracks", table)
        assert code == 0, screen
    assert (out / name).exists()
    assert tool(folder, "--output", out, "--boxes", table)[0] == 0
