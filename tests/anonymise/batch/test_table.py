"""Tables of faces from other programs: what is in them is not believed."""

import json

import numpy as np
import pytest

from anonygan_jax.anonymise.batch.known_table import read_faces
from anonygan_jax.anonymise.batch.table import (
    COLUMNS,
    TracksError,
    check_table,
    written_tracks,
)
from anonygan_jax.faces.face import Face

ROW = {"file": "a.jpg", "x": 1, "y": 2, "width": 30, "height": 40}


@pytest.mark.parametrize(
    "change",
    [
        *({"x": v} for v in ("NaN", "Infinity", "1e999", 1e7, "", None, [], "1;2")),
        *({"width": v} for v in (0, -3, "NaN", 10**400)),
        *({"frame": v} for v in ("NaN", "Infinity", "x", [1], 7.9)),
        *({"file": "a.mp4", "frame": v} for v in (None, "")),
        *({name: v} for name in ("score", "roll") for v in ("NaN", "Infinity", "x")),
        {"x135": "NaN", "y67": 1},
        {"y67": "NaN"},
    ],
    ids=lambda value: str(value)[:40],
)
def test_numbers_that_are_no_pixels_are_named(change, tmp_path):
    text = json.dumps([ROW, ROW | change])
    for word in ("NaN", "Infinity", "1e999"):
        text = text.replace(f'"{word}"', word)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(TracksError, match=r"a\.json: .*row 2") as error:
        read_faces(tmp_path / "a.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"[" * 100_000),
        ("a.json", b'{"a":' * 100_000),
        ("a.json", b"17"),
        ("a.json", b'["file"]'),
        ("a.json", b"{}"),
        ("a.json", b'""'),
        ("a.json", b"null"),
        ("a.json", b"\xff\xfe"),
        ("a.json", b""),
        ("a.csv", b"file,x,y,width,height\n" + b'"' + b"x" * 200_000),
        ("a.csv", b"file,x,y,width,height\na.jpg,1,2,\xff,4\n"),
        ("a.csv", b"file,x,y,width,height\na.jpg,1,2,\0,4\n"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_files_that_are_no_tables_are_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TracksError, match=name):
        read_faces(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        "a.jpg,1,2,30,40\n",
        "a.jpg,1,2,30,40\n" * 2,
        "file,left,top,width,height\n",
        "file;x;y;width;height\na.jpg;1;2;30;40\n",
        "file,x,y,x,y,width,height\na.jpg,1,2,3,4,30,40\n",
        "",
    ],
)
def test_a_csv_without_the_wanted_header_is_refused(content, tmp_path):
    (tmp_path / "a.csv").write_text(content)
    wanted = r"a\.csv: .* the first line .* file, x, y, width, height"
    with pytest.raises(TracksError, match=wanted) as error:
        read_faces(tmp_path / "a.csv")
    assert "\n" not in str(error.value)


def test_rows_with_more_cells_than_columns_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("file,x,y,width,height\na.jpg,10,5,20,5,160,5,220,5\n")
    with pytest.raises(TracksError, match="row 1: more cells than columns"):
        read_faces(path)


@pytest.mark.parametrize(
    "rows",
    [
        'a.jpg,1,2,30,40,"Ann\na.jpg,50,2,30,40,Bob\n',
        'a.jpg,1,2,30,40,"Ann\na.jpg,50,2,30,40,"Bob\n',
        'a.jpg,1,2,30,40,"Ann\na.jpg,50,2,30,40,Bob"\na.jpg,9,2,30,40,C\n',
    ],
)
def test_a_quote_that_hides_rows_is_refused(rows, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("file,x,y,width,height,label\n" + rows)
    with pytest.raises(TracksError, match=r"a\.csv"):
        read_faces(path)


@pytest.mark.parametrize("name", [" frame", "Frame", "FRAME "])
def test_a_column_that_is_nearly_known_is_refused(name, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"file,x,y,width,height,{name}\na.jpg,1,2,30,40,7\n")
    with pytest.raises(TracksError, match="must be called 'frame'"):
        read_faces(path)


def test_a_field_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "a.json"
    fields = '"file": "a.jpg", "x": 1, "x": 9, "y": 2, "width": 30, "height": 40'
    path.write_text(f"[{{{fields}}}]")
    with pytest.raises(TracksError, match="twice"):
        read_faces(path)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_table_without_faces_is_read(suffix, tmp_path):
    with written_tracks(tmp_path / f"a{suffix}"):
        pass
    assert read_faces(tmp_path / f"a{suffix}") == {}


def test_a_table_of_a_spreadsheet_is_read(tmp_path):
    """With the mark of UTF-8, names of any language, and landmarks in all columns."""
    row = ["ä.jpg", 0, 0, 0, 1, 2, 30, 40, 0.9, -0.4, *range(136)]
    lines = [",".join(map(str, COLUMNS)), ",".join(map(str, row))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    ((face,),) = (frames[0] for frames in read_faces(tmp_path / "a.csv").values())
    assert list(read_faces(tmp_path / "a.csv")) == ["ä.jpg"]
    np.testing.assert_array_equal(face.box_xyxy, [1, 2, 31, 42])
    np.testing.assert_array_equal(face.points_xy.ravel(), np.arange(136))
    assert face.roll == -0.4


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_face_that_is_written_and_read_keeps_its_roll(suffix, tmp_path):
    path, box = tmp_path / f"a{suffix}", np.array([1, 2, 31, 42], np.float32)
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    faces = [Face(points, box, 0.9, 1.25), Face(points[:0], box, 0.8, -3.1)]
    with written_tracks(path) as write:
        for frame, face in enumerate(faces):
            write("a.mp4", frame, frame / 30, 0, face)
    check_table(path, tmp_path / "report.json")
    read = read_faces(path)["a.mp4"]
    assert [(f.roll, f.score) for (f,) in read.values()] == [(1.25, 0.9), (-3.1, 0.8)]
    for frame, face in enumerate(faces):
        np.testing.assert_array_equal(read[frame][0].points_xy, face.points_xy)


def test_a_table_without_roll_is_read_and_replaced(tmp_path):
    """Of version 1."""
    columns = [name for name in COLUMNS if name != "roll"]
    (tmp_path / "a.csv").write_text(f"{','.join(columns)}\na.jpg,0,0,0,1,2,30,40,0.9\n")
    check_table(tmp_path / "a.csv", tmp_path / "report.json")
    (((face,),),) = (f.values() for f in read_faces(tmp_path / "a.csv").values())
    assert (face.roll, face.score) == (0, 0.9)
