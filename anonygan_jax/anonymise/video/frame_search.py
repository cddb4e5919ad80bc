"""The search of each frame of a video: thorough where it must be, else quick.

Thorough searches are full ones in frames far apart, in the first frame of a scene, then
once every few frames, and where a face is lost while a turned one is tracked. Others
miss small turned faces that are not tracked; those are hidden in the frames before a
full search, too. In every third frame what is new in the picture is searched in full:
a face that comes and goes between two full searches.
"""

import numpy as np

from anonygan_jax.anonymise.video.association import Followed
from anonygan_jax.anonymise.video.changes import Changes
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.detector import Detection, FaceDetector

PADDING_FRAMES = 8  # in which a face is hidden before its first detection
MOST_BETWEEN = PADDING_FRAMES + 1  # frames from one full search to the next
SEARCH_EVERY = MOST_BETWEEN  # frames, by default
CHANGES_EVERY = 3  # frames
MOST_CHANGED = 0.5  # of the picture, from which it is searched as a whole
SCENE_START = 5  # frames of a new scene, each searched thoroughly
SLOW = 1 / 15  # seconds between frames, above which each search is full


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
        self._changes = Changes()
        self.was_full = False

    def __call__(
        self,
        number: int,
        image: np.ndarray,
        seconds: float,
        scene_start: int,
        tracks: list[Track],
        followed: Followed,
    ) -> tuple[list[Detection], bool]:
        """Returns the detections of a frame, and whether the search was thorough.

        Args:
          scene_start: the frame in which the scene began.
          tracks: whose faces are in the frame before.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        if self._known is not None:
            self.was_full = number in self._known
            return self._known.get(number, []), self.was_full
        parts = self._new_parts(number, image, tracks)
        is_due = number % self.every == 0 or number == scene_start
        is_due |= _share(parts, image) > MOST_CHANGED
        is_full = is_due or elapsed > SLOW or any(track.turns for track in tracks)
        self.was_full = False
        if is_due or elapsed > SLOW or number - scene_start < SCENE_START:
            return self._thorough(image, is_full)
        turns = {0} | {track.turns for track in tracks}
        found = self._detector.quick_boxes(image, tuple(sorted(turns)), parts)
        boxes = [detection.box_xyxy for detection in found]
        for track in tracks:
            is_followed = track.is_lost or followed[track.number]
            box = track.face.box_xyxy
            if not is_followed and not any(centres_overlap(box, b) for b in boxes):
                return self._thorough(image, is_full)  # it is lost
        return found, False

    def _new_parts(
        self, number: int, image: np.ndarray, tracks: list[Track]
    ) -> list[np.ndarray]:
        """Where something is new beside known faces, in frames that are compared."""
        if number % CHANGES_EVERY:
            return []
        return self._changes.parts(image, [track.face.box_xyxy for track in tracks])

    def _thorough(
        self, image: np.ndarray, is_full: bool
    ) -> tuple[list[Detection], bool]:
        """The detections of a thorough search, and that it was one."""
        self.was_full = is_full
        return self._detector.boxes(image, is_full=is_full), True


def _share(parts: list[np.ndarray], image: np.ndarray) -> float:
    """The share of the picture in parts."""
    pixels = sum(float(np.prod(part[2:] - part[:2])) for part in parts)
    return pixels / float(np.prod(image.shape[:2]))
