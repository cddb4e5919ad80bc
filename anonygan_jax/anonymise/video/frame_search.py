"""The search of each frame of a video: thorough where it must be, else quick.

Thorough searches are full ones in frames far apart, in the first frame of a scene, then
once every few frames, and while a turned face is tracked. Others miss small turned
faces that are not tracked; those are hidden in the frames before a full search, too.

Which search a frame needs depends on the frames before. The one that it most often
needs can be made ahead, beside them; where it is another one, that is made as well.
"""

from typing import NamedTuple

import numpy as np

from anonygan_jax.anonymise.video.association import Followed
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.detector import Detection, FaceDetector

SEARCH_EVERY = 5  # frames, by default
MOST_BETWEEN = 9  # frames from one full search to the next: PADDING_FRAMES, and one
SLOW = 1 / 15  # seconds between frames, above which each search is full
UPRIGHT = (0,)


class Kind(NamedTuple):
    """Which search of a frame: thorough, perhaps full; or quick, of some turns."""

    is_thorough: bool
    is_full: bool = False
    turns: tuple[int, ...] = ()


class Ahead(NamedTuple):
    """The detections of a search that was made ahead."""

    kind: Kind
    found: list[Detection]


class FrameSearch:
    """Searches frames in order.

    Attributes:
      every: frames from one full search to the next, at most MOST_BETWEEN.
      was_full: whether the last frame was searched in full, or its faces are known.
    """

    def __init__(
        self,
        detector: FaceDetector,
        every: int,
        known: dict[int, list[Detection]] | None,
    ) -> None:
        """Takes what detects.

        Args:
          known: detections by frame; other frames are not searched. None to search.
        """
        self._detector, self._known = detector, known
        self.every = min(every, MOST_BETWEEN)
        self._seconds = -1.0
        self.was_full = False

    def ahead(self, number: int, image: np.ndarray) -> Ahead | None:
        """Returns the search that a frame most often needs; None where none is made.

        It depends on the frame alone: other threads may call it, in any order.
        """
        if self._known is not None:
            return None
        is_due = number % self.every == 0
        kind = Kind(False, turns=UPRIGHT)
        if is_due or number < self.every:
            kind = Kind(True, is_full=is_due)
        return Ahead(kind, self._search(image, kind))

    def __call__(
        self,
        number: int,
        image: np.ndarray,
        seconds: float,
        scene_start: int,
        tracks: list[Track],
        followed: Followed,
        ahead: Ahead | None = None,
    ) -> tuple[list[Detection], bool]:
        """Returns the detections of a frame, and whether the search was thorough.

        Args:
          scene_start: the frame in which the scene began.
          tracks: whose faces are in the frame before.
          ahead: of this frame, if it was searched ahead.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        if self._known is not None:
            self.was_full = number in self._known
            return self._known.get(number, []), self.was_full
        is_due = number % self.every == 0 or number == scene_start
        is_full = is_due or elapsed > SLOW or any(track.turns for track in tracks)
        self.was_full = is_full
        thorough = Kind(True, is_full)
        if is_due or elapsed > SLOW or number - scene_start < self.every:
            return self._search(image, thorough, ahead), True
        turns = {*UPRIGHT, *(track.turns for track in tracks)}
        found = self._search(image, Kind(False, turns=tuple(sorted(turns))), ahead)
        boxes = [detection.box_xyxy for detection in found]
        for track in tracks:
            is_followed = track.is_lost or followed[track.number]
            box = track.face.box_xyxy
            if not is_followed and not any(centres_overlap(box, b) for b in boxes):
                return self._search(image, thorough), True  # it is lost
        return found, False

    def _search(
        self, image: np.ndarray, kind: Kind, ahead: Ahead | None = None
    ) -> list[Detection]:
        """The detections of a search, which may have been made ahead."""
        if ahead is not None and ahead.kind == kind:
            return ahead.found
        if kind.is_thorough:
            return self._detector.boxes(image, is_full=kind.is_full)
        return self._detector.quick_boxes(image, kind.turns)
