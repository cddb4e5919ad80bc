"""Faces in frames in which they were not detected."""

import dataclasses

import numpy as np

from anonygan_jax.detection.boxes import iou
from anonygan_jax.faces.face import Face

MIN_OVERLAP = 0.5  # intersection over union of an interpolated and a carried box

Seen = tuple[int, float, Face]  # number and seconds of a frame, and a face in it


def interpolated(before: Seen, gap: list[Seen], after: Seen) -> list[Seen] | None:
    """Returns the faces of a gap, interpolated between two detections.

    None where the gap lacks some of the frames between them, or the interpolated face
    would be elsewhere.

    Args:
      gap: where motion carries the face.
    """
    (first, _, face), (last, _, later) = before, after
    if len(gap) != last - first - 1:
        return None
    between = []
    for number, seconds, carried in gap:
        middle = _between(face, later, (number - first) / (last - first))
        if iou(middle.box_xyxy, carried.box_xyxy) < MIN_OVERLAP:
            return None
        between.append((number, seconds, middle))
    return between


def _between(a: Face, b: Face, share: float) -> Face:
    """A face interpolated between two detections."""
    box = a.box_xyxy + share * (b.box_xyxy - a.box_xyxy)
    points = np.zeros((0, 2))
    if len(a.points_xy) and len(b.points_xy):
        points = a.points_xy + share * (b.points_xy - a.points_xy)
    points, box = points.astype(np.float32), box.astype(np.float32)
    return Face(points, box, a.score, a.roll)


def moved(face: Face, box_xyxy: np.ndarray) -> Face:
    """Returns a face whose box is moved, and its landmarks likewise."""
    low, side = face.box_xyxy[:2], face.box_xyxy[2:] - face.box_xyxy[:2]
    growth = (box_xyxy[2:] - box_xyxy[:2]) / np.maximum(side, 1e-6)
    points = box_xyxy[:2] + growth * (face.points_xy - low)
    return Face(points.astype(np.float32), box_xyxy, face.score, face.roll)


def without_points(face: Face) -> Face:
    """Returns a face that can only be pixelated."""
    return dataclasses.replace(face, points_xy=np.zeros((0, 2), np.float32))
