"""Faces tracked from frame to frame."""

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np

from anonygan_jax.detection.detector import Detection, FaceDetector, centres_overlap
from anonygan_jax.faces.face import NUM_LANDMARKS, Face

MAX_GAP = 30  # frames after which a lost face ends its track
MAX_MISSED_SEARCHES = 30  # in a row, after which a tracked face is no face
RETRY_LANDMARKS_EVERY = 5  # searches, for a face without landmarks
FAST_MOTION = 0.04  # of its size in a frame, of a face without landmarks
MAX_GROWTH = 1.5  # of a face's width from one frame to the next
SCENE_CUT = 0.4  # of the light that changes in a scene cut; fast pans reach 0.35
CUT_SIDE = 64  # pixels of the copies that are compared


@dataclasses.dataclass
class Track:
    """One face in consecutive frames.

    Attributes:
      number: counts from 0.
      face: of the last detection.
      first, last: frames of the first and the last detection.
      num_missed_searches: searches in a row that did not detect the face.
      num_searches: searches that detected it.
      moves_fast: a face without landmarks that moves fast: it is searched in every
        frame.
      is_over: whether the track has ended.
    """

    number: int
    face: Face
    first: int
    last: int
    num_missed_searches: int = 0
    num_searches: int = 1
    moves_fast: bool = False
    is_over: bool = False


class Tracker:
    """Follows landmarks in every frame, and searches for faces in some.

    Attributes:
      scene_start: the frame in which the scene began.
    """

    def __init__(
        self,
        detector: FaceDetector,
        search_every: int,
        is_same: Callable[[Track, np.ndarray, Face], bool],
        search: Callable[[int, np.ndarray], list[Detection]] | None = None,
    ) -> None:
        """Takes what detects.

        Args:
          search_every: frames from one search to the next; a scene cut and a lost face
            cause a search, too.
          is_same: whether a face detected in an image, in place of a track's lost face,
            is the same person's.
          search: returns the detections of a frame by its number; None for the
            detector's.
        """
        self._boxes = search or (lambda _, image: detector.boxes(image))
        self._detector = detector
        self._is_same = is_same
        self._search_every = search_every
        self._tracks: list[Track] = []
        self._before: np.ndarray | None = None
        self._num_tracks = 0
        self.scene_start = 0

    def step(self, number: int, image: np.ndarray) -> tuple[list[Track], list[Track]]:
        """Returns the tracks seen in a frame, uint8 [H, W, 3], and those that ended.

        Args:
          number: of the frame; frames come in order.
        """
        ended: list[Track] = []
        if self._is_cut(image):
            self.scene_start, ended = number, self.close()
        was_lost = [self._follow(track, number, image) for track in self._tracks]
        is_time = number % self._search_every == 0
        # A scene cut may be a flash, in which no face is detected.
        is_time |= number - self.scene_start < self._search_every
        is_time |= any(track.moves_fast for track in self._tracks)
        if is_time or any(was_lost):
            self._search(number, image)
        for track in self._tracks:
            if (
                number - track.last > MAX_GAP
                or track.num_missed_searches > MAX_MISSED_SEARCHES
            ):
                track.is_over = True
        ended += [track for track in self._tracks if track.is_over]
        self._tracks = [track for track in self._tracks if not track.is_over]
        return [t for t in self._tracks if t.last == number], ended

    def close(self) -> list[Track]:
        """Ends all tracks and returns them."""
        ended, self._tracks = self._tracks, []
        for track in ended:
            track.is_over = True
        return ended

    def _follow(self, track: Track, number: int, image: np.ndarray) -> bool:
        """Whether a face is lost whose landmarks were followed until now."""
        before = track.face
        if track.last != number - 1 or not len(before.points_xy):
            return False
        points = self._detector.landmarker.follow(image, before.points_xy)
        if points is None or not _is_near(points, before.points_xy):
            return True
        moved = np.tile((points - before.points_xy).mean(0), 2)
        box = (before.box_xyxy + moved).astype(np.float32)
        track.face, track.last = Face(points, box, before.score), number
        return False

    def _search(self, number: int, image: np.ndarray) -> None:
        """Searches for the faces of tracks, and for new ones."""
        for known in self._tracks:
            known.num_missed_searches += 1
        for found in self._boxes(number, image):
            box = found.box_xyxy
            track = self._at(box)
            if track is None:
                face = self._detector.face(image, found)
                # A second box of a tracked face is no new face.
                if not self._is_tracked(face, number):
                    self._start(face, number)
                continue
            track.num_missed_searches = 0
            track.num_searches += 1
            is_blank = not len(track.face.points_xy)
            speed = _apart(box, track.face.box_xyxy) / max(1, number - track.last)
            size = float(max(box[2:] - box[:2]))
            track.moves_fast = is_blank and speed > FAST_MOTION * size
            if track.last == number or (
                is_blank and track.num_searches % RETRY_LANDMARKS_EVERY
            ):
                track.face = dataclasses.replace(track.face, box_xyxy=box)
                track.last = number
                continue
            face = self._detector.face(image, found)
            if self._is_same(track, image, face):
                track.face, track.last = face, number
            else:
                track.is_over = True
                self._start(face, number)

    def _start(self, face: Face, number: int) -> None:
        """Adds a track."""
        self._tracks.append(Track(self._num_tracks, face, number, number))
        self._num_tracks += 1

    def _at(self, box: np.ndarray) -> Track | None:
        """The nearest track whose box overlaps a box, or None."""
        there = [t for t in self._tracks if centres_overlap(box, t.face.box_xyxy)]
        there = [t for t in there if t.num_missed_searches > 0]  # each gets one box
        return min(there, key=lambda t: _apart(box, t.face.box_xyxy), default=None)

    def _is_tracked(self, face: Face, number: int) -> bool:
        """Whether a face was detected in this frame already."""
        return len(face.points_xy) == NUM_LANDMARKS and any(
            len(t.face.points_xy) and _is_near(face.points_xy, t.face.points_xy)
            for t in self._tracks
            if t.last == number
        )

    def _is_cut(self, image: np.ndarray) -> bool:
        """Whether the image begins another scene."""
        small = cv2.resize(image, (CUT_SIDE, CUT_SIDE), interpolation=cv2.INTER_AREA)
        now, before = small.astype(np.float32), self._before
        self._before = now
        if before is None:
            return False
        light = np.maximum(now, before).sum()
        return bool(np.abs(now - before).sum() > SCENE_CUT * max(float(light), 1.0))


def _is_near(points: np.ndarray, before: np.ndarray) -> bool:
    """Whether points may be those of the same face one frame later."""
    width, old = (float(np.ptp(shape, axis=0).max()) for shape in (points, before))
    if not old / MAX_GROWTH < width < old * MAX_GROWTH:
        return False
    return bool(np.linalg.norm((points - before).mean(0)) < 0.5 * old)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two boxes' centres."""
    return float(np.linalg.norm(a[:2] + a[2:] - b[:2] - b[2:]) / 2)
