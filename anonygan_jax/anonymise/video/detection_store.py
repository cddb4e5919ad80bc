"""The faces of all frames of a video, in a temporary file."""

import io
import pathlib
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from anonygan_jax.anonymise.video.smoothing import smooth
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import NUM_LANDMARKS, Face
from anonygan_jax.io.atomic_write import copy_whole

# States of a row: detected or followed; between two detections; before the first; lost
# and carried by motion. Benchmarks measure detected rows alone.
DETECTED, INTERPOLATED, EXTENDED, CARRIED = 0, 1, 2, 3
NO_TRACK = -1  # of a row that has a detection of the frame, whatever track it is of
SMOOTHED = 4000  # frames smoothed at once
RUN_IN = 60  # frames before and after, which are smoothed with them
ROW = np.dtype(
    [
        ("frame", "i4"),
        ("track", "i4"),
        ("state", "u1"),
        ("has_points", "?"),
        ("seconds", "f8"),
        ("score", "f4"),
        ("roll", "f4"),
        ("box", "f4", 4),
        ("points", "f4", (NUM_LANDMARKS, 2)),
    ]
)


class DetectionStore:
    """Rows of a temporary file, which is deleted when the process ends.

    Attributes:
      num_rows: until now.
    """

    def __init__(self, saved: BinaryIO | None = None) -> None:
        """Makes an empty store, or one of the rows that `save` wrote into a file."""
        self._file = saved or tempfile.TemporaryFile()  # noqa: SIM115
        self.num_rows = self._file.seek(0, io.SEEK_END) // ROW.itemsize
        self._places: dict[int, list[int]] = defaultdict(list)

    def add(
        self, frame: int, seconds: float, track: int, face: Face, state: int
    ) -> None:
        """Adds a face of a frame; the rows of one track in the order of frames.

        Args:
          state: DETECTED, INTERPOLATED, EXTENDED or CARRIED.
        """
        row = _row(frame, seconds, track, face)
        row["state"] = state
        self._write(row)

    def add_detection(self, frame: int, seconds: float, found: Detection) -> None:
        """Adds a detection of a frame, by which the result is verified."""
        points = np.zeros((0, 2), np.float32)
        face = Face(points, found.box_xyxy, found.score, found.roll)
        self._write(_row(frame, seconds, NO_TRACK, face))

    def _write(self, row: np.ndarray) -> None:
        """Appends a row."""
        self._file.write(row.tobytes())
        if row["track"] != NO_TRACK and row["state"] != CARRIED:
            self._places[int(row["track"])].append(self.num_rows)
        self.num_rows += 1

    def smooth(self) -> None:
        """Removes jitter from boxes and points of each track while it is not lost."""
        self._file.flush()
        if not self.num_rows:
            return
        rows = np.memmap(self._file, ROW, "r+", shape=(self.num_rows,))
        for places in self._places.values():
            before = rows[:0]  # the part's run-in, as it was before smoothing
            for start in range(0, len(places), SMOOTHED):
                part = rows[np.array(places[start : start + SMOOTHED + RUN_IN])]
                smoothed = _smoothed(np.concatenate([before, part]))[len(before) :]
                rows[np.array(places[start : start + SMOOTHED])] = smoothed[:SMOOTHED]
                before = part[:SMOOTHED][-RUN_IN:]
        rows.flush()

    def by_frame(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields number and rows, ROW [N], of each frame with faces, in order."""
        self._file.flush()
        if not self.num_rows:
            return
        rows = np.memmap(self._file, ROW, "r", shape=(self.num_rows,))
        order = np.argsort(rows["frame"], kind="stable")
        frames = rows["frame"][order]
        starts = np.flatnonzero(np.diff(frames, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
            yield int(frames[start]), rows[order[start:end]]

    def save(self, path: pathlib.Path) -> None:
        """Writes the rows into a file, for other processes."""
        copy_whole(self._file, path)

    def close(self) -> None:
        """Closes the file, which is deleted unless it was saved."""
        self._file.close()


def _row(frame: int, seconds: float, track: int, face: Face) -> np.ndarray:
    """A row of one face."""
    row = np.zeros((), ROW)
    row["frame"], row["track"], row["seconds"] = frame, track, seconds
    row["score"], row["roll"], row["box"] = face.score, face.roll, face.box_xyxy
    row["has_points"] = len(face.points_xy) > 0
    if row["has_points"]:
        row["points"] = face.points_xy
    return row


def face_of(row: np.ndarray) -> Face:
    """Returns the face of a row."""
    points = row["points"] if row["has_points"] else np.zeros((0, 2), np.float32)
    score, roll = float(row["score"]), float(row["roll"])
    return Face(np.array(points), np.array(row["box"]), score, roll)


def _smoothed(rows: np.ndarray) -> np.ndarray:
    """Rows of one track with jitter removed from points and boxes."""
    rows = rows.copy()
    widths = np.maximum(rows["box"][:, 2] - rows["box"][:, 0], 1)
    rows["box"] = smooth(rows["seconds"], rows["box"], widths)
    # Consecutive rows with landmarks are smoothed together.
    edges = np.flatnonzero(np.diff(rows["has_points"])) + 1
    for part in np.split(np.arange(len(rows)), edges):
        if len(part) and rows["has_points"][part[0]]:
            rows["points"][part] = smooth(
                rows["seconds"][part], rows["points"][part], widths[part]
            )
    return rows
