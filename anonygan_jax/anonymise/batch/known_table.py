"""Tables of faces that other programs found."""

import csv
import json
import math
import pathlib
from typing import Any, TextIO

import numpy as np

from anonygan_jax.anonymise.batch.table import (
    BOX,
    COLUMNS,
    JSON,
    POINTS,
    SURROGATES,
    TracksError,
    check_suffix,
)
from anonygan_jax.anonymise.errors import KnownFaceError
from anonygan_jax.faces.face import Face
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import VIDEO, kind_of_suffix

WANTED = ("file", *BOX)  # columns
MOST_PIXELS = 1_000_000  # of a coordinate; JSON may have NaN, too
MIN_SIDE = 2  # pixels of a box
SURPLUS = "more cells"  # than columns: decimal commas, perhaps


class Known(dict[str, dict[int, list[Face]]]):
    """Faces by file and frame; a photo is frame 0.

    Attributes:
      without_frame: names of files of which a row has no frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.without_frame: set[str] = set()

    def of(self, file: PhotoFile) -> dict[int, list[Face]]:
        """Returns the faces of a file by frame.

        Raises:
          KnownFaceError: it is a video, and a row has no frame.
        """
        if file.kind == VIDEO and file.name in self.without_frame:
            raise KnownFaceError("it is a video, and a row of the boxes has no frame")
        return self.get(file.name, {})

    def add(self, name: str, frame: int | None, face: Face) -> None:
        """Adds the face of a row."""
        if frame is None:
            self.without_frame.add(name)
        self.setdefault(name, {}).setdefault(frame or 0, []).append(face)


def read_faces(path: pathlib.Path) -> Known:
    """Returns the faces of a table.

    Args:
      path: CSV with a header, or a JSON list of objects. "file", "x", "y", "width" and
        "height" are required, of videos "frame", too; "score", "roll" (radians
        clockwise) and landmarks are optional.

    Raises:
      TracksError: the file is neither, or lacks a column; the message names the row of
        faces, the first one is 1.
    """
    check_suffix(path)
    known = Known()
    number = 0
    try:
        with path.open(encoding="utf-8-sig", errors=SURROGATES, newline="") as file:
            read = _json_rows if path.suffix == JSON else _csv_rows
            rows = read(path, file)
            for number, row in enumerate(rows, 1):  # noqa: B007 (named in the error)
                name = str(row["file"])
                known.add(name, _frame(name, row), _face(row))
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
    return known


def _csv_rows(path: pathlib.Path, file: TextIO) -> csv.DictReader:
    """The rows of a CSV file; TracksError if its header lacks a column."""
    rows = csv.DictReader(file, restkey=SURPLUS, strict=True)
    names = list(rows.fieldnames or ())
    plain = [name.strip().lower() for name in names]
    if not set(WANTED) <= set(names) or len(set(plain)) < len(plain):
        raise TracksError(
            f"{path}: not a table of faces: the first line must name the columns "
            f"{', '.join(WANTED)}, each once"
        )
    for name, known in zip(names, plain, strict=True):
        if known in COLUMNS and name not in COLUMNS:
            raise TracksError(f"{path}: column {name!r} must be called {known!r}")
    return rows


def _json_rows(path: pathlib.Path, file: TextIO) -> list[Any]:
    """The rows of a JSON file; TracksError if it has no list."""
    rows = json.load(file, object_pairs_hook=_once_each)
    if not isinstance(rows, list):
        raise TracksError(
            f"{path}: not a table of faces: wanted a list of objects with "
            f"{', '.join(WANTED)}"
        )
    return rows


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of an object; ValueError if one is there twice."""
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a field is there twice")
    return row


def _frame(name: str, row: dict[str, Any]) -> int | None:
    """The frame of a row, which only rows of photos may lack: None."""
    if row.get("frame") in (None, ""):
        if kind_of_suffix(pathlib.Path(name).suffix.lower()) == VIDEO:
            raise KeyError("frame")
        return None
    frame = float(row["frame"])
    if not frame.is_integer():
        raise ValueError(f"frame is {row['frame']}, wanted a whole number")
    return int(frame)


def _face(row: dict[str, Any]) -> Face:
    """The face of a row."""
    if SURPLUS in row:
        raise ValueError("more cells than columns")
    if any("\n" in str(cell) for name, cell in row.items() if name != "file"):
        raise ValueError("a line break in a cell: an open quote, perhaps")
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
