"""The search of each frame of a video: thorough where it must be, else quick."""

import numpy as np

from anonygan_jax.anonymise.video.association import Followed
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.detector import Detection, FaceDetector

SLOW = 1 / 15  # seconds between frames, above which each search is thorough


class FrameSearch:
    """Searches frames in order.

    Attributes:
      every: frames from one thorough search to the next.
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
        self._detector, self.every, self._known = detector, every, known
        self._seconds = -1.0

    def __call__(
        self,
        number: int,
        image: np.ndarray,
        seconds: float,
        is_first: bool,
        tracks: list[Track],
        followed: Followed,
    ) -> tuple[list[Detection], bool]:
        """Returns the detections of a frame, and whether the search was thorough.

        Args:
          is_first: whether the frame is one of a scene's first.
          tracks: whose faces are in the frame before.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        if self._known is not None:
            return self._known.get(number, []), number in self._known
        if number % self.every == 0 or is_first or elapsed > SLOW:
            return self._detector.boxes(image), True
        turns = {0} | {track.turns for track in tracks}
        found = self._detector.quick_boxes(image, tuple(sorted(turns)))
        boxes = [detection.box_xyxy for detection in found]
        for track in tracks:
            is_followed = track.is_lost or followed[track.number]
            box = track.face.box_xyxy
            if not is_followed and not any(centres_overlap(box, b) for b in boxes):
                return self._detector.boxes(image), True  # it is lost now
        return found, False
