"""Tables of faces for other programs."""

import contextlib
import csv
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from anonygan_jax.faces.face import NUM_LANDMARKS, Face
from anonygan_jax.io.atomic_write import atomic_write

BOX = ("x", "y", "width", "height")
POINTS = tuple(f"{axis}{n}" for n in range(NUM_LANDMARKS) for axis in "xy")
_FIRST = ("file", "frame", "seconds", "track", *BOX, "score")  # of all versions
COLUMNS = (*_FIRST, "roll", *POINTS)
CSV, JSON = ".csv", ".json"
SURROGATES = "surrogateescape"  # names of files may be any bytes


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
