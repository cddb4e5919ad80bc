"""Originals are never written or deleted: random folders, runs, kills and errors."""

import io
import json
import os
import pathlib
import random
import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from anonygan_jax.anonymise.batch import result_names
from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.output_folder import OutputFolder
from anonygan_jax.anonymise.batch.result_names import OccupiedError
from anonygan_jax.anonymise.batch.task import Task
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.inputs import PhotoFile
from tests.stubbed_tool import StubbedTool

NAMES = (
    *("a.png", "a.jfif", "a.gif", "a.JPG", "a.jpg", "b.ppm", "b.png", "IMG_1.MOV"),
    *("IMG_1.MP4", "IMG_1.mp4", "clip.mp4", "notes.md", "faces.csv", "é.png"),
    *("e\u0301.png", ".a.png.partial.png", "a.png.png"),
)
OWN_NAMES = ("report.json", ".report.jsonl", ".anonygan.lock")
FOLDERS = ("in", "in/sub", "in/sub/sub", "out", "out/sub", "in/out")
BIT_NAMES = st.sampled_from(NAMES) | st.sampled_from(OWN_NAMES)
PATHS = st.builds("{}/{}".format, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
ANY_PATHS = st.builds("{}/{}".format, st.sampled_from(FOLDERS), BIT_NAMES)
OUTPUTS = st.sampled_from(("out", "in", "in/sub", "in/out", "link", "out/new"))
INPUTS = st.sampled_from(
    [["in"], ["in/sub"], ["out"], ["in", "out"], ["in/a.png"], ["in/a.gif", "in/sub"]]
)
FAULTS = st.none() | st.builds(
    lambda at, kind: {"at": at, "kind": kind},
    st.integers(1, 40),
    st.sampled_from(("kill", "error")),
)
RUNS = st.fixed_dictionaries(
    {
        "inputs": INPUTS,
        "output": OUTPUTS,
        "options": st.sampled_from(
            [[], [], ["--no-face", "copy"], ["--min-face", "9"]]
        ),
        "fault": FAULTS,
        "then": st.sampled_from(("", "add", "edit", "remove", "link")),
        "path": ANY_PATHS,
    }
)


@pytest.fixture(scope="module")
def tool():
    tool = StubbedTool()
    yield tool
    tool.close()


def _contents(name: str, rng: random.Random) -> bytes:
    """Of an original; no two are equal."""
    token = rng.randbytes(8)
    kind = rng.choice(("face", "face", "no face", "broken"))
    if pathlib.Path(name).suffix.lower() not in (".mov", ".mp4") and kind != "broken":
        pixels = np.full((24, 24, 3), 200 if kind == "face" else 50, np.uint8)
        pixels[-1, :8] = np.frombuffer(token, np.uint8)[:, None]
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        return buffer.getvalue()
    return {"face": b"video", "no face": b"nobody", "broken": b"broken"}[kind] + token


class World:
    """A folder of originals, of which all bytes are known."""

    def __init__(self, root: pathlib.Path, seed: int) -> None:
        self.root, self.originals = root, dict[pathlib.Path, bytes]()
        self.rng = random.Random(seed)
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "link").symlink_to("in/sub")

    def add(self, path: pathlib.Path) -> None:
        """Writes an original, in the place of whatever was there."""
        path.unlink(missing_ok=True)
        self.originals[path] = _contents(path.name, self.rng)
        path.write_bytes(self.originals[path])

    def link(self, path: pathlib.Path) -> None:
        """Gives an original a second name, by a link of either kind."""
        if os.path.lexists(path) or not self.originals:
            return
        first = self.rng.choice(sorted(self.originals))
        if self.rng.random() < 0.5:
            path.symlink_to(first)
        else:
            path.hardlink_to(first)
        self.originals[path] = self.originals[first]

    def meddle(self, how: str, path: pathlib.Path) -> None:
        """What a user does between two runs; `path` is anywhere."""
        if how == "link":
            self.link(path)
        elif how == "add" and not os.path.lexists(path):
            self.add(path)
        elif path not in self.originals and path.is_file() and how != "add":
            if how == "edit" and path.name not in OWN_NAMES:
                self.add(path)  # a result that was retouched is an original
            elif how == "remove":
                path.unlink()

    def check(self) -> None:
        """Every original is there and as it was."""
        for path, contents in self.originals.items():
            assert path.read_bytes() == contents, path


@settings(
    max_examples=15,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    paths=st.lists(PATHS, min_size=1, max_size=9, unique=True),
    links=st.lists(PATHS, max_size=2),
    own=st.lists(ANY_PATHS, max_size=1),
    runs=st.lists(RUNS, min_size=1, max_size=4),
    seed=st.integers(0, 10**9),
)
def test_originals_are_as_they_were_after_any_run(tool, paths, links, own, runs, seed):
    with tempfile.TemporaryDirectory() as name:
        world = World(pathlib.Path(name), seed)
        for path in (*paths, *own):
            world.add(world.root / path)
        for path in links:
            world.link(world.root / path)
        for run in runs:
            files = [world.root / path for path in run["inputs"]]
            output = world.root / run["output"]
            fault = {**run["fault"], "root": name} if run["fault"] else {}
            code, screen = tool(*files, "--output", output, *run["options"], **fault)
            world.check()
            assert code in (0, 1, 2, 3, 4, -9), screen
            assert "Traceback" not in screen, screen
            world.meddle(run["then"], world.root / run["path"])


def _photos(folder: pathlib.Path, *names: str) -> dict[pathlib.Path, bytes]:
    folder.mkdir(exist_ok=True, parents=True)
    rng = random.Random(str(names))
    contents = {}
    for value, name in enumerate(names):
        pixels = np.full((24, 24, 3), 200 + value, np.uint8)
        Image.fromarray(pixels).save(folder / name, "PNG")
        if name.lower().endswith(("mov", "mp4", "mkv", "avi", "mpg")):
            (folder / name).write_bytes(b"video" + rng.randbytes(8))
        contents[folder / name] = (folder / name).read_bytes()
    return contents


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        ("a.gif", "a.png"),
        ("a.ppm", "a.png"),
        ("IMG_1.AVI", "IMG_1.mp4"),
        ("IMG_1.mpg", "IMG_1.mp4"),
    ],
)
def test_an_original_beside_is_no_result(tool, given, beside, tmp_path):
    contents = _photos(tmp_path, given, beside)
    code, screen = tool(tmp_path / given, "--output", tmp_path)
    assert code == 2
    assert f"{beside} is there and is no result of this tool" in screen
    for path, before in contents.items():
        assert path.read_bytes() == before
    assert json.loads((tmp_path / "report.json").read_text())["photos"][0]["reason"]


def test_after_a_kill_at_any_change_the_same_command_does_the_rest(tool, tmp_path):
    contents = _photos(tmp_path / "in", "b.gif", "c.mov")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert tool(tmp_path / "in", "--output", whole)[0] == 0
    at, code = 0, -9
    while code == -9:
        at += 1
        fault = {"at": at, "kind": "kill", "root": str(tmp_path)}
        out = parts / str(at)
        code, _ = tool(tmp_path / "in", "--output", out, **fault)
        again, screen = tool(tmp_path / "in", "--output", out)
        assert again == 0, screen
        for path in (*whole.iterdir(), *out.iterdir()):  # neither more nor less
            assert (out / path.name).read_bytes() == (whole / path.name).read_bytes()
    assert at > 15
    for path, before in contents.items():
        assert path.read_bytes() == before


def test_after_an_error_at_any_change_the_same_command_does_the_rest(tool, tmp_path):
    _photos(tmp_path / "in", "a.png", "b.gif")
    for at in range(1, 18, 2):
        fault = {"at": at, "kind": "error", "root": str(tmp_path)}
        out = tmp_path / "out" / str(at)
        code, screen = tool(tmp_path / "in", "--output", out, **fault)
        assert code in (1, 2), screen
        assert "No space left on device" in screen
        assert "Traceback" not in screen
        code, screen = tool(tmp_path / "in", "--output", out)
        assert code == 0, screen
        names = {path.name for path in out.iterdir()}
        assert names == {"a.png", "b.png", "report.json"}


def test_a_photo_that_comes_during_the_run_is_not_replaced(tool, tmp_path):
    _photos(tmp_path / "in", "a.png")
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.png").symlink_to(tmp_path / "not yet")
    code, screen = tool(tmp_path / "in", "--output", out)
    assert code == 2, screen
    assert (out / "a.png").is_symlink()
    assert not (tmp_path / "not yet").exists()


def test_photos_of_one_name_but_for_case_or_accents(tool, tmp_path):
    names = ("a.JPG", "a.jpg", "\u00e9.png", "e\u0301.png")
    _photos(tmp_path / "in", *names)
    code, screen = tool(tmp_path / "in", "--output", tmp_path / "out")
    assert code == 0, screen
    written = [path for path in (tmp_path / "out").iterdir() if path.suffix != ".json"]
    assert len(written) == len(list((tmp_path / "in").iterdir()))


def test_results_that_a_file_system_takes_for_one_are_told(tmp_path, monkeypatch):
    """As on a disk that knows no case, which the machine of the tests may not have."""
    monkeypatch.setattr(result_names, "is_one_name", lambda *_: True)
    _photos(tmp_path / "in", "a.JPG", "a.jpg", "b.jpg")
    about = About.of(Settings("blackout"))
    with OutputFolder.opened(tmp_path / "out", about) as folder:

        def task(name: str) -> Task:
            file = PhotoFile(tmp_path / "in" / name, name)
            return folder.task(file, tmp_path / "out" / name)

        assert task("a.JPG").output != task("b.jpg").output
        with pytest.raises(OccupiedError, match=r"would have the name of .*a\.JPG's"):
            task("a.jpg")
