"""Faces followed from frame to frame."""

import dataclasses
from collections.abc import Callable

import cv2
import numpy as np

from anonygan_jax.detection import Detection, FaceDetector
from anonygan_jax.detection.detector import centres_overlap
from anonygan_jax.faces.face import NUM_LANDMARKS, Face

MAX_GAP = 30  # frames for which a face may be lost and is looked for in its place
MAX_MISSED_SEARCHES = 30  # searches in a row that do not see a face that is followed
RETRY_LANDMARKS_EVERY = (
    5  # searches from one try to find landmarks to the next, where none were
)
FAST_MOTION = 0.04  # of its size that a face without landmarks may move in a frame
MAX_GROWTH = 1.5  # of a face's width from one frame to the next
SCENE_CUT = 0.4  # of the light that must change for a new scene; fast pans reach 0.35
CUT_SIDE = 64  # pixels of the copies that are compared


@dataclasses.dataclass
class Track:
    """A face through time, as far as it is known.

    Attributes:
      number: counts from 0.
      face: where it was last seen.
      first, last: frames in which it was first and last seen.
      unconfirmed: searches in a row that did not see it.
      num_searches: that saw it.
      moves_fast: it moves fast, and cannot be followed but by searches.
      is_over: nothing will be added.
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
    """Follows landmarks in every frame, and searches anew in some."""

    def __init__(
        self,
        find: FaceDetector,
        search_every: int,
        is_same: Callable[[Track, np.ndarray, Face], bool],
        search: Callable[[int, np.ndarray], list[Detection]] | None = None,
    ) -> None:
        """Keeps the finder.

        Args:
          find: searches frames, and follows landmarks.
          search_every: frames from one search to the next; a new scene and a lost face
            cause one, too.
          is_same: whether a face found in a picture, where a track's was lost, is the
            same person's.
          search: boxes and scores in a frame of a number; None for the finder's.
        """
        self._boxes = search or (lambda _, image: find.boxes(image))
        self._find = find
        self._is_same = is_same
        self._search_every = search_every
        self._tracks: list[Track] = []
        self._before: np.ndarray | None = None
        self._num_tracks = 0
        self.scene_start = 0  # the frame in which the scene began

    def step(self, number: int, image: np.ndarray) -> tuple[list[Track], list[Track]]:
        """Returns the tracks seen in a frame, and those that have ended.

        Args:
          number: of the frame, one more than of the last.
          image: uint8 [H, W, 3] RGB.
        """
        ended: list[Track] = []
        if self._is_cut(image):
            self.scene_start, ended = number, self.close()
        was_lost = [self._follow(track, number, image) for track in self._tracks]
        is_time = number % self._search_every == 0
        # What looks like a new scene may be a flash, in which no face is found.
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
        """Whether a face has just been lost that could be followed until now."""
        before = track.face
        if track.last != number - 1 or not len(before.points_xy):
            return False
        points = self._find.landmarker.follow(image, before.points_xy)
        if points is None or not _is_near(points, before.points_xy):
            return True
        moved = np.tile((points - before.points_xy).mean(0), 2)
        box = (before.box_xyxy + moved).astype(np.float32)
        track.face, track.last = Face(points, box, before.score), number
        return False

    def _search(self, number: int, image: np.ndarray) -> None:
        """Finds known faces again, and new ones."""
        for known in self._tracks:
            known.num_missed_searches += 1
        for found in self._boxes(number, image):
            box = found.box_xyxy
            track = self._at(box)
            if track is None:
                face = self._find.face(image, found)
                # Two boxes of one face: its points lie in that of a known one.
                if not self._is_known(face, number):
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
            face = self._find.face(image, found)
            if self._is_same(track, image, face):
                track.face, track.last = face, number
            else:
                track.is_over = True
                self._start(face, number)

    def _start(self, face: Face, number: int) -> None:
        """A new track."""
        self._tracks.append(Track(self._num_tracks, face, number, number))
        self._num_tracks += 1

    def _at(self, box: np.ndarray) -> Track | None:
        """The track that is nearest to a box, if one is there."""
        there = [t for t in self._tracks if centres_overlap(box, t.face.box_xyxy)]
        there = [t for t in there if t.num_missed_searches > 0]  # each gets one box
        return min(there, key=lambda t: _apart(box, t.face.box_xyxy), default=None)

    def _is_known(self, face: Face, number: int) -> bool:
        """Whether a face is one that was found in this frame already."""
        return len(face.points_xy) == NUM_LANDMARKS and any(
            len(t.face.points_xy) and _is_near(face.points_xy, t.face.points_xy)
            for t in self._tracks
            if t.last == number
        )

    def _is_cut(self, image: np.ndarray) -> bool:
        """Whether another scene begins."""
        small = cv2.resize(image, (CUT_SIDE, CUT_SIDE), interpolation=cv2.INTER_AREA)
        now, before = small.astype(np.float32), self._before
        self._before = now
        if before is None:
            return False
        light = np.maximum(now, before).sum()
        return bool(np.abs(now - before).sum() > SCENE_CUT * max(float(light), 1.0))


def _is_near(points: np.ndarray, before: np.ndarray) -> bool:
    """Whether points may be those of the same face a moment later."""
    width, old = (float(np.ptp(shape, axis=0).max()) for shape in (points, before))
    if not old / MAX_GROWTH < width < old * MAX_GROWTH:
        return False
    return bool(np.linalg.norm((points - before).mean(0)) < 0.5 * old)


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of two boxes' centres."""
    return float(np.linalg.norm(a[:2] + a[2:] - b[:2] - b[2:]) / 2)
