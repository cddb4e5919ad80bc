"""Tables of faces: written for other programs, or read from them."""

import contextlib
import csv
import json
import math
import pathlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import numpy as np

from anonygan_jax.faces.face import NUM_LANDMARKS, Face
from anonygan_jax.io.atomic_write import atomic_write

BOX = ("x", "y", "width", "height")
WANTED = ("file", *BOX)  # columns of a table that is read
POINTS = tuple(f"{axis}{n}" for n in range(NUM_LANDMARKS) for axis in "xy")
_FIRST = ("file", "frame", "seconds", "track", *BOX, "score")  # of all versions
COLUMNS = (*_FIRST, "roll", *POINTS)
CSV, JSON = ".csv", ".json"
MOST_PIXELS = 1_000_000  # of a coordinate; JSON may have NaN, too
MIN_SIDE = 2  # pixels of a box
SURPLUS = "more cells"  # than columns: decimal commas, perhaps
SURROGATES = "surrogateescape"  # names of files may be any bytes

# Faces by file and frame; a photo is frame 0.
Known = dict[str, dict[int, list[Face]]]


class TracksError(ValueError):
    """A table of faces that cannot be read or written."""


# Writes a row: file, frame, seconds, track, face.
Table = Callable[[str, int, float, int, Face], None]


@contextlib.contextmanager
def written_tracks(path: pathlib.Path | None) -> Iterator[Table]:
    """Gives a function that writes rows into a CSV or JSON file.

    The file is complete when the block ends; after an error there is none.

    Args:
      path: with one of the suffixes; None writes nothing.

    Raises:
      TracksError: another suffix.
    """
    if path is None:
        yield lambda *_: None
        return
    check_suffix(path)
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8", errors=SURROGATES, newline="") as file,
    ):
        if path.suffix == CSV:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            yield lambda *row: table.writerow(_row(*row))
            return
        file.write("[")
        separator = ["\n"]

        def add(name: str, frame: int, seconds: float, track: int, face: Face) -> None:
            row = _row(name, frame, seconds, track, face)
            values = dict(zip(COLUMNS, row, strict=False))
            file.write(separator[0] + json.dumps(values))
            separator[0] = ",\n"

        yield add
        file.write("\n]\n")


def check_table(
    path: pathlib.Path, report: pathlib.Path, boxes: pathlib.Path | None = None
) -> None:
    """Accepts a table to write: a new file, or an earlier table of this tool.

    Results have the suffixes of photos and videos, and no table has their names.

    Args:
      report: of the run, which is written after the table.
      boxes: the table that is read.

    Raises:
      TracksError: it is one of the two, another file, or has another suffix than CSV
        and JSON.
    """
    check_suffix(path)
    if f"{path.resolve()}".casefold() == f"{report.resolve()}".casefold():
        raise TracksError(f"{path}: is the name of the report; choose another")
    if not path.exists():
        return
    if boxes and path.samefile(boxes):
        raise TracksError(f"{path}: is read, too; choose another name")
    starts = [",".join(_FIRST).encode()]
    if path.suffix == JSON:
        starts = [f'[\n{{"{COLUMNS[0]}": '.encode(), b"[\n]"]
    if not path.is_file() or not path.read_bytes().startswith(tuple(starts)):
        raise TracksError(f"{path}: is there and no table of this tool; move it away")


def check_suffix(path: pathlib.Path) -> None:
    """Accepts the suffixes of CSV and JSON.

    Raises:
      TracksError: another suffix.
    """
    if path.suffix not in (CSV, JSON):
        raise TracksError(f"{path}: wanted a name that ends in {CSV} or {JSON}")


def _row(file: str, frame: int, seconds: float, track: int, face: Face) -> list[Any]:
    """Values in the order of COLUMNS; without points if the face has none."""
    left, top, right, bottom = (round(float(v), 2) for v in face.box_xyxy)
    box = [left, top, round(right - left, 2), round(bottom - top, 2)]
    points = [round(float(v), 2) for v in face.points_xy.ravel()]
    about = [*box, round(face.score, 3), round(face.roll, 4)]
    return [file, frame, round(seconds, 4), track, *about, *points]


def read_faces(path: pathlib.Path) -> Known:
    """Returns the faces of a table.

    Args:
      path: CSV with a header, or a JSON list of objects. "file", "x", "y", "width" and
        "height" are required; "frame", "score", "roll" (radians clockwise) and
        landmarks are optional.

    Raises:
      TracksError: the file is neither, or lacks a column; the message names the row of
        faces, the first one is 1.
    """
    check_suffix(path)
    known: Known = defaultdict(lambda: defaultdict(list))
    number = 0
    try:
        with path.open(encoding="utf-8-sig", errors=SURROGATES, newline="") as file:
            read = _json_rows if path.suffix == JSON else _csv_rows
            rows = read(path, file)
            for number, row in enumerate(rows, 1):  # noqa: B007 (named in the error)
                name, frame = str(row["file"]), int(row.get("frame") or 0)
                known[name][frame].append(_face(row))
    except TracksError:
        raise
    except KeyError as error:
        raise TracksError(f"{path}: row {number} lacks {error}") from error
    except (
        *(OSError, ValueError, TypeError, AttributeError),
        *(OverflowError, RecursionError, csv.Error),
    ) as error:
        raise TracksError(
            f"{path}: not a table of faces (row {number}: {error})"
        ) from error
    return {file: dict(frames) for file, frames in known.items()}


def _csv_rows(path: pathlib.Path, file: TextIO) -> csv.DictReader:
    """The rows of a CSV file; TracksError if its header lacks a column."""
    rows = csv.DictReader(file, restkey=SURPLUS)
    names = list(rows.fieldnames or ())
    if not set(WANTED) <= set(names) or len(set(names)) < len(names):
        raise TracksError(
            f"{path}: not a table of faces: the first line must name the columns "
            f"{', '.join(WANTED)}, each once"
        )
    return rows


def _json_rows(path: pathlib.Path, file: TextIO) -> list[Any]:
    """The rows of a JSON file; TracksError if it has no list."""
    rows = json.load(file)
    if not isinstance(rows, list):
        raise TracksError(
            f"{path}: not a table of faces: wanted a list of objects with "
            f"{', '.join(WANTED)}"
        )
    return rows


def _face(row: dict[str, Any]) -> Face:
    """The face of a row."""
    if SURPLUS in row:
        raise ValueError("more cells than columns")
    x, y, width, height = (_pixels(row, name) for name in BOX)
    if min(width, height) < MIN_SIDE:  # shares of the picture, perhaps
        raise ValueError(f"a box of {width}x{height} pixels")
    points = np.zeros((0, 2), np.float32)
    if row.get(POINTS[-1]) not in (None, ""):
        points = np.array([_pixels(row, name) for name in POINTS], np.float32)
    box = np.array([x, y, x + width, y + height], np.float32)
    score, roll = _finite(row, "score", 1.0), _finite(row, "roll", 0.0)
    return Face(points.reshape(-1, 2), box, score, roll)


def _finite(row: dict[str, Any], name: str, default: float) -> float:
    """A number that a row may lack; ValueError of NaN and infinity."""
    value = float(row.get(name) or default)
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}")
    return value


def _pixels(row: dict[str, Any], name: str) -> float:
    """A number of pixels; ValueError if no photo has so many in a row."""
    value = float(row[name])
    if not abs(value) <= MOST_PIXELS:
        raise ValueError(f"{name} is {value}, wanted at most {MOST_PIXELS} pixels")
    return value
