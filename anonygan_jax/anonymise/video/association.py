"""Which detection of a frame is whose track's."""

import numpy as np

from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import (
    MAX_FOLLOWED_OFFSET,
    centres_overlap,
    points_fit,
)
from anonygan_jax.detection.detector import Detection, Landmarker
from anonygan_jax.faces.face import Face

MAX_POINTS_APART = 0.1  # of a face's width, of two detections of one face

Followed = dict[int, Face | None]  # faces by their landmarks, by the track's number


def nearest_tracks(
    tracks: list[Track], detections: list[Detection], followed: Followed
) -> dict[int, Track]:
    """Returns tracks by the place of the detection that is nearest; each once."""
    apart = []
    for place, detection in enumerate(detections):
        for track in tracks:
            box = (followed[track.number] or track.face).box_xyxy
            if centres_overlap(detection.box_xyxy, box):
                apart.append((_apart(detection.box_xyxy, box), place, track.number))
    given: dict[int, Track] = {}
    free = {track.number: track for track in tracks}
    for _, place, number in sorted(apart):
        if place not in given and number in free:
            given[place] = free.pop(number)
    return given


def confirms(detection: Detection, followed: Face) -> bool:
    """Returns whether a detection is that of landmarks that were followed."""
    box, roll = detection.box_xyxy, detection.roll
    return points_fit(followed.points_xy, box, roll, MAX_FOLLOWED_OFFSET)


def is_second_box(face: Face, tracks: list[Track]) -> bool:
    """Returns whether a face has the landmarks of a track's."""
    return any(
        len(face.points_xy)
        and len(track.face.points_xy)
        and _are_near(face.points_xy, track.face.points_xy)
        for track in tracks
    )


def _are_near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether points are those of one face."""
    width = float(np.ptp(b, axis=0).max())
    return bool(np.linalg.norm(a - b, axis=-1).mean() < MAX_POINTS_APART * width)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two boxes' centres."""
    return float(np.linalg.norm(a[:2] + a[2:] - b[:2] - b[2:]) / 2)


def follow(landmarker: Landmarker, track: Track, image: np.ndarray) -> Face | None:
    """Returns a face by its landmarks in the frame before; None if there are none."""
    before = track.face
    if not len(before.points_xy):
        return None
    points = landmarker.follow(image, before.points_xy)
    if points is None:
        return None
    moved = np.tile((points - before.points_xy).mean(0), 2)
    box = (before.box_xyxy + moved).astype(np.float32)
    face = Face(points, box, before.score, before.roll)
    return face if points_fit(points, box, before.roll) else None
