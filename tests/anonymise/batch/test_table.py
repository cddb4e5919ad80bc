"""Tables of faces from other programs: what is in them is not believed."""

import json

import numpy as np
import pytest

from anonygan_jax.anonymise.batch.table import COLUMNS, TracksError, read_faces

ROW = {"file": "a.jpg", "x": 1, "y": 2, "width": 30, "height": 40}


@pytest.mark.parametrize(
    "change",
    [
        *({"x": v} for v in ("NaN", "Infinity", "1e999", 1e7, "", None, [], "1;2")),
        *({"width": v} for v in (0, -3, "NaN", 10**400)),
        *({"frame": v} for v in ("NaN", "Infinity", "x", [1])),
        *({"score": v} for v in ("NaN", "Infinity", "x")),
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
    with pytest.raises(TracksError, match=r"a\.json: .*row 1") as error:
        read_faces(tmp_path / "a.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"[" * 100_000),
        ("a.json", b'{"a":' * 100_000),
        ("a.json", b"17"),
        ("a.json", b'["file"]'),
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


def test_a_table_of_a_spreadsheet_is_read(tmp_path):
    """With the mark of UTF-8, names of any language, and landmarks in all columns."""
    row = ["ä.jpg", 0, 0, 0, 1, 2, 30, 40, 0.9, *range(136)]
    lines = [",".join(map(str, COLUMNS)), ",".join(map(str, row))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    ((face,),) = (frames[0] for frames in read_faces(tmp_path / "a.csv").values())
    assert list(read_faces(tmp_path / "a.csv")) == ["ä.jpg"]
    np.testing.assert_array_equal(face.box_xyxy, [1, 2, 31, 42])
    np.testing.assert_array_equal(face.points_xy.ravel(), np.arange(136))
