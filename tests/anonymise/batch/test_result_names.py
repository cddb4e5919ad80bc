"""Names of results: of all names, distinct, and the same whatever was done before."""

import json
import os
import pathlib
import tempfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from anonygan_jax.anonymise.batch import result_names
from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.holders import ResultHolders
from anonygan_jax.anonymise.batch.journal import Journal
from anonygan_jax.anonymise.batch.name_forms import NameForms, folded, result_suffix
from anonygan_jax.anonymise.batch.result_names import ResultNames
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import ANIMATION, PHOTO, VIDEO, kind_of_suffix
from tests.clips import write_clip
from tests.stubbed_tool import StubbedTool

ODD = (
    *("-a.mpg", "--help.mpg", "%d.mpg", "%05d.mpg", "a:b.mpg", "\U0001f600.mpg"),
    *("new\nline.mpg", "tab\t.mpg", "a'b\"c.mpg", "a\\b.mpg", "$(x).mpg", "*.mpg"),
    *(os.fsdecode(b"\xff\xfe.mpg"), "dots...mpg", "space .mpg", " .mpg", "file:a.mpg"),
    *("a" * 251 + ".mpg", "\u00e4" * 125 + ".mpg", "\U0001f600" * 62 + ".mpg"),
)
CHARACTERS = st.sampled_from(
    list("aAbB.- %:'\"\n\u00e4\u00c4e\u0301\u00df\U0001f600\u4e2d")
    + [os.fsdecode(b"\xff")]
)
NAMES = st.builds(
    lambda stem, suffix: stem + suffix,
    st.text(CHARACTERS, min_size=1, max_size=4)
    | st.builds(lambda c, n: c * n, CHARACTERS, st.integers(1, 300)),
    st.sampled_from((".avi", ".mpg", ".mp4", ".MP4", ".jpg", ".JPG", ".gif", ".mpo")),
).filter(lambda name: len(os.fsencode(name)) <= 255 and name.strip("."))


@pytest.fixture(scope="module")
def tool():
    tool = StubbedTool()
    yield tool
    tool.close()


class Nobody:
    """A folder without results."""

    def is_known(self, name: str) -> bool:
        return False

    is_of = is_of_another = lambda *_: False


def _file(name: str) -> PhotoFile:
    suffix = pathlib.PurePosixPath(name).suffix.lower()
    kind = kind_of_suffix(suffix)
    return PhotoFile(pathlib.Path("in", name), name, kind or VIDEO, suffix)


def _assigned(folder: pathlib.Path, *names: str) -> list[str]:
    return ResultNames(folder, Nobody()).assigned([_file(name) for name in names])


def _fill(folder: pathlib.Path, *names: str) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        if kind_of_suffix(pathlib.Path(name).suffix.lower()) == PHOTO:
            value = 150 + sum(str(folder / name).encode()) % 100
            Image.new("RGB", (24, 24), (value,) * 3).save(folder / name, "JPEG")
        else:
            content = b"video" + os.fsencode(folder / name)
            pathlib.Path(folder, name).write_bytes(content)


def _report(out: pathlib.Path) -> dict[str, str]:
    """Results by the path of the photo, as report.json maps them."""
    entries = json.loads((out / "report.json").read_text())["photos"]
    assert all(e["result"] in (None, e["name"]) for e in entries)
    return {os.path.basename(e["photo"]): e["result"] for e in entries}


@pytest.mark.parametrize(
    ("name", "kind", "suffix", "result"),
    [
        ("b/a.JPG", PHOTO, ".jpg", "b/a.JPG"),
        ("b/a.gif", PHOTO, ".gif", "b/a.png"),
        ("b/a.gif", ANIMATION, ".gif", "b/a.png"),
        ("b/a.mpo", PHOTO, ".mpo", "b/a.jpg"),
        ("b/a.HEIC", PHOTO, ".heic", "b/a.HEIC"),
        ("b/a.dat", PHOTO, ".jpg", "b/a.dat.jpg"),
        ("b/a.jpg", PHOTO, ".png", "b/a.png"),
        ("b/a.mp4", PHOTO, ".jpg", "b/a.jpg"),
        ("b/a.jpg", VIDEO, ".mp4", "b/a.mp4"),
        ("a.avi", VIDEO, ".avi", "a.mp4"),
        ("a.MP4", VIDEO, ".mp4", "a.MP4"),
        ("clip", VIDEO, ".wmv", "clip.mp4"),
        ("on 3.8. in Hamburg", VIDEO, ".mp4", "on 3.8. in Hamburg.mp4"),
        (".mpg", VIDEO, ".mpg", ".mpg.mp4"),
        ("a..mpg", VIDEO, ".mpg", "a..mp4"),
        ("a .mpg", VIDEO, ".mpg", "a .mp4"),
    ],
)
def test_the_plainest_name(name, kind, suffix, result):
    file = PhotoFile(pathlib.Path(name), name, kind, suffix)
    assert NameForms(file, 255)(0) == result
    assert result.lower().endswith(result_suffix(file))


@pytest.mark.parametrize(
    "names",
    [
        {"a.avi": "a.avi.mp4", "a.mpg": "a.mpg.mp4", "b.mpg": "b.mp4"},
        {"a.mpg": "a.mpg.mp4", "a.mp4": "a.mp4"},  # that has its own name
        {"a.jpg": "a.jpg", "a.mpo": "a.mpo.jpg"},
        {"a.avi": "a-2.mp4", "a.avi.mpg": "a.avi.mpg.mp4", "a.mpg": "a.mpg.mp4"},
        {"a.avi": "a.avi.mp4", "a.mp4/1.jpg": "a.mp4/1.jpg"},  # a folder's name
        {"x/a.gif": "x/a.gif.png", "x/a.ppm": "x/a.ppm.png", "y/a.ppm": "y/a.png"},
    ],
    ids=str,
)
def test_results_of_one_name_are_named_apart(names, tmp_path):
    assert _assigned(tmp_path, *names) == list(names.values())


def test_names_that_a_disk_takes_for_one(tmp_path, monkeypatch):
    """As on a disk that knows no case, which the machine of the tests may not have."""
    names = (
        "A.jpg",
        "a.avi",
        "a.jpg",
        "A.MPG",
        "\u00e9.jpg",
        "e\u0301.jpg",
        "x./1.jpg",
    )
    plain = [
        "A.jpg",
        "a.mp4",
        "a.jpg",
        "A.mp4",
        "\u00e9.jpg",
        "e\u0301.jpg",
        "x./1.jpg",
    ]
    assert _assigned(tmp_path, *names) == plain
    monkeypatch.setattr(
        result_names, "is_one_name", lambda _, one, two: folded(one) == folded(two)
    )
    assert _assigned(tmp_path, *names) == [
        *("A.jpg", "a.avi.mp4", "a-2.jpg", "A.MPG.mp4"),
        *("\u00e9.jpg", "e\u0301-2.jpg", "x./1.jpg"),
    ]


@pytest.mark.parametrize("knows_case", [True, False])
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(names=st.lists(NAMES, min_size=1, max_size=8, unique=True), order=st.randoms())
def test_any_names(knows_case, names, order, monkeypatch):
    """On the real disk: each can be written, none is another's, all are stable."""
    if not knows_case:
        monkeypatch.setattr(
            result_names, "is_one_name", lambda _, one, two: folded(one) == folded(two)
        )
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        names.sort()
        results = _assigned(folder, *names)
        key = str if knows_case else folded
        assert len({key(result) for result in results}) == len(names)
        for name, result in zip(names, results, strict=True):
            assert len(os.fsencode(result)) <= 255
            wanted = result_suffix(_file(name))
            assert result.lower().endswith(wanted)
            (folder / result).write_text(name.encode("utf-8", "surrogateescape").hex())
        assert len(list(folder.iterdir())) == len(names)
        again = _assigned(folder, *names)  # what lies there changes nothing
        assert again == results


def test_names_that_are_cut_end_at_a_character_and_differ(tmp_path):
    longest = ["\U0001f600" * 62 + end + ".mpg" for end in ("abc", "abd")]
    results = _assigned(tmp_path, *longest)  # of 255 bytes, with a suffix as long
    assert results == [name.replace(".mpg", ".mp4") for name in longest]
    names = ["\U0001f600" * 62 + end for end in ("abcdefg", "abcdefh")]
    results = _assigned(tmp_path, *names)  # ".mp4" does not fit
    for result in results:
        assert 250 < len(result.encode()) <= 255
        stem, digest = result.removesuffix(".mp4").split("-")
        assert set(stem) == {"\U0001f600"}
        assert len(digest) == 8
    assert results[0] != results[1]


def test_a_file_more_turns_no_results_round(tool, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    _fill(folder, "a.mpg", "b.jpg")
    assert tool(folder, "--output", out)[0] == 0
    first = {path.name: path.stat().st_ino for path in out.iterdir()}
    assert set(first) == {"a.mp4", "b.jpg", "report.json"}
    _fill(folder, "a.mp4", "a.avi", "a.3gp", "b.mpo")
    code, screen = tool(folder, "--output", out)
    assert code == 0, screen
    later = {path.name: path.stat().st_ino for path in out.iterdir()}
    for name in ("a.mp4", "b.jpg"):
        assert later[name] == first[name]
    wanted = {
        **{
            "a.mpg": "a.mp4",
            "b.jpg": "b.jpg",
            "a.mp4": "a-2.mp4",
            "b.mpo": "b.mpo.jpg",
        },
        **{"a.avi": "a.avi.mp4", "a.3gp": "a.3gp.mp4"},
    }
    assert _report(out) == wanted
    assert set(later) == {*wanted.values(), "report.json"}  # nothing was done twice
    for name, result in wanted.items():
        if result.endswith("mp4"):
            before = (folder / name).read_bytes()
            assert (out / result).read_bytes() == b"anonymised " + before
    (folder / "a.3gp").unlink()  # nor does a file less
    assert tool(folder, "--output", out)[0] == 0
    assert {p.name: p.stat().st_ino for p in out.iterdir()}.items() >= {
        name: inode for name, inode in later.items() if name != "report.json"
    }.items()


def test_two_inputs_with_files_of_one_name(tool, tmp_path):
    folders = [tmp_path / "berlin" / "x", tmp_path / "rom" / "x", tmp_path / "y"]
    for folder in folders:
        _fill(folder, "1.jpg", "1.mpg")
    out = tmp_path / "out"
    for some in (folders[1:], folders[1:][::-1]):  # their order does not count
        code, screen = tool(*some, "--output", out)
        assert code == 0, screen
        names = {"1 (x).jpg", "1 (x).mp4", "1 (y).jpg", "1 (y).mp4", "report.json"}
        assert {path.name for path in out.iterdir()} == names
        for folder in some:
            before = (folder / "1.mpg").read_bytes()
            after = (out / f"1 ({folder.name}).mp4").read_bytes()
            assert after == b"anonymised " + before
    assert tool(*folders, "--output", tmp_path / "all")[0] == 0
    assert {path.name for path in (tmp_path / "all").glob("*.jpg")} == {
        "1 (berlin-x).jpg",
        "1 (rom-x).jpg",
        "1 (" + "-".join(folders[2].parts[-2:]) + ").jpg",
    }


def test_another_run_whose_file_has_the_name(tool, tmp_path):
    out = tmp_path / "out"
    for folder in ("x", "y", "z"):
        _fill(tmp_path / folder, "a.jpg", "a.mpg")
        for _ in range(2):
            code, screen = tool(tmp_path / folder, "--output", out)
            assert code == 0, screen
    names = {path.name for path in out.iterdir()} - {"report.json"}
    assert names == {
        *("a.jpg", "a-2.jpg", "a-3.jpg"),
        *("a.mp4", "a.mpg.mp4", "a-2.mp4"),
    }
    entries = json.loads((out / "report.json").read_text())["photos"]
    assert len({(e["photo"], e["result"]) for e in entries}) == 6
    for entry in entries:
        if entry["result"].endswith("mp4"):
            before = pathlib.Path(entry["photo"]).read_bytes()
            assert (out / entry["result"]).read_bytes() == b"anonymised " + before


def test_a_result_that_has_the_name_in_other_letters(tmp_path, monkeypatch):
    """On a disk that knows no case: two names of one file play it here."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "A.jpg").write_bytes(b"a result")
    (out / "a.jpg").hardlink_to(out / "A.jpg")
    entry = {
        **{"photo": "/x/A.jpg", "name": "A.jpg", "kind": "replaced", "faces": []},
        **{
            "result": "A.jpg",
            "fingerprint": "1",
            "result_fingerprint": "2",
            "run": "r",
        },
    }
    (out / "report.json").write_text(json.dumps({"runs": {"r": {}}, "photos": [entry]}))
    journal = Journal(out, About.of(Settings("blackout")))
    holders = ResultHolders(out, journal, lambda _: "2")
    names = ResultNames(out, holders).assigned([_file("a.jpg")])
    assert names == ["a-2.jpg"]
    assert not holders.is_of_another("b.jpg", _file("b.jpg"))


def test_a_run_that_is_killed_goes_on_with_the_same_names(tool, tmp_path):
    _fill(tmp_path / "in", "a.avi", "a.mpg", "a.jpg", "a.mpo")
    wanted = {"a.avi.mp4", "a.mpg.mp4", "a.jpg", "a.mpo.jpg", "report.json"}
    for at in range(1, 60, 5):
        out = tmp_path / f"{at}"
        fault = {"at": at, "kind": "kill", "root": str(tmp_path)}
        tool(tmp_path / "in", "--output", out, **fault)
        code, screen = tool(tmp_path / "in", "--output", out)
        assert code == 0, screen
        assert {path.name for path in out.iterdir()} == wanted


def test_files_of_any_name_have_results(tool, tmp_path):
    _fill(tmp_path / "in", *ODD)
    listed = [name for name in ODD if "\n" not in name and name == name.strip()]
    out = tmp_path / "out"
    for _ in range(2):
        code, screen = tool(tmp_path / "in", "--output", out)
        assert code == 0, screen
        assert len(list(out.glob("*.mp4"))) == len(ODD)
        assert f"anonymised {len(ODD)} of {len(ODD)}" in screen
    report = _report(out)
    for name in ODD:
        before = (tmp_path / "in" / name).read_bytes()
        assert (out / report[name]).read_bytes() == b"anonymised " + before
    named = [tmp_path / "in" / name for name in listed if name.isprintable()]
    assert tool(*named, "--output", tmp_path / "named")[0] == 0
    assert len(list((tmp_path / "named").glob("*.mp4"))) == len(named)


def test_a_table_of_faces_has_the_names_of_two_inputs(tool, tmp_path):
    for folder in ("x", "y"):
        _fill(tmp_path / folder, "1.jpg")
    inputs = (tmp_path / "x", tmp_path / "y")
    table = tmp_path / "faces.csv"
    assert tool(*inputs, "--output", tmp_path / "a", "--tracks", table)[0] == 0
    files = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
    assert files == ["1 (x).jpg", "1 (y).jpg"]
    code, screen = tool(*inputs, "--output", tmp_path / "b", "--boxes", table)
    assert code == 0, screen  # faces by the table alone


def test_a_video_of_any_name_needs_frames_of_boxes(tool, tmp_path):
    """Else the faces of its first frame alone would be hidden."""
    clip = write_clip(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.uint8)] * 3)
    clip = clip.rename(tmp_path / "clip")
    table = tmp_path / "faces.csv"
    table.write_text("file,x,y,width,height\nclip,4,4,16,16\n")
    code, screen = tool(clip, "--output", tmp_path / "out", "--boxes", table)
    assert code == 2, screen
    assert "it is a video, and a row of the boxes has no frame" in screen
    table.write_text("file,frame,x,y,width,height\nclip,0,4,4,16,16\n")
    assert tool(clip, "--output", tmp_path / "out", "--boxes", table)[0] == 0
