"""One face of a video, in consecutive frames."""

import dataclasses

import numpy as np

from anonygan_jax.faces.face import Face

MAX_UNSEEN = 1.0  # seconds without a detection, after which landmarks count no more
MIN_UNSEEN = 3  # thorough searches without a detection, at least
MIN_DETECTIONS = 2  # of a face that motion carries; one may be a false positive
# Seconds, and frames at least, for which a box stays that nothing carries.
MAX_STAY, MIN_STAY = 1.0, 5
MAX_GROWTH = 1.5  # of a carried box since the last detection, and least 1 / it


@dataclasses.dataclass(eq=False)
class Track:
    """One face in consecutive frames.

    Attributes:
      number: counts from 0.
      face: in the current frame; without landmarks if it is lost.
      first: frame of the first detection.
      side: longer side of the box of the last detection, pixels.
      moved: number and time, seconds, of the last frame in which the face was
        detected, its landmarks were followed or motion carried its box.
      turns: quarter turns of the last detection, clockwise.
      num_detections: frames in which it was detected.
      num_unseen: thorough searches in a row that did not detect it.
      detected: time of the last detection, seconds.
      is_lost: whether its box is only carried by motion.
      num_still: frames in a row in which nothing carries it, so that it stays.
      stays: where the picture's motion alone carries the box, for a second: what moves
        through it may have carried `face` away. None otherwise.
      is_elsewhere: whether the person seems to have been found elsewhere.
      is_successor: whether it begins where another track ends.
      is_over: whether the track ends, as another has its place.
    """

    number: int
    face: Face
    first: int
    moved: tuple[int, float]
    turns: int = 0
    num_detections: int = 0
    num_unseen: int = 0
    detected: float = 0.0
    is_lost: bool = False
    num_still: int = 0
    stays: np.ndarray | None = None
    side: float = 0.0
    is_elsewhere: bool = False
    is_successor: bool = False
    is_over: bool = False

    def see(self, face: Face, turns: int, number: int, seconds: float) -> None:
        """Notes that the face was detected in a frame."""
        self.face, self.turns, self.moved = face, turns, (number, seconds)
        self.num_detections += 1
        self.num_unseen, self.detected = 0, seconds
        self.is_lost, self.num_still, self.is_elsewhere = False, 0, False
        self.side, self.stays = _side(face.box_xyxy), None

    def follow(self, face: Face, number: int, seconds: float) -> None:
        """Notes where the face is by its landmarks, without a detection."""
        self.face, self.moved = face, (number, seconds)

    def carry(
        self,
        box_xyxy: np.ndarray | None,
        with_picture: np.ndarray | None,
        number: int,
        seconds: float,
    ) -> None:
        """Moves the box of a face that is lost.

        Args:
          box_xyxy: where motion carries it; None: it stays where it is.
          with_picture: where the picture's motion carries `stays`.
        """
        if not self.is_lost:
            self.stays = self.face.box_xyxy
        elif seconds - self.detected > MAX_STAY:
            self.stays = None
        if self.stays is not None and with_picture is not None:
            self.stays = with_picture
        self.is_lost = True
        self.num_still = self.num_still + 1 if box_xyxy is None else 0
        is_sure = self.num_detections >= MIN_DETECTIONS and not self.is_elsewhere
        if box_xyxy is not None and is_sure:
            self.moved = number, seconds
        box = self.face.box_xyxy if box_xyxy is None else self._bounded(box_xyxy)
        no_points = np.zeros((0, 2), np.float32)
        self.face = Face(no_points, box, self.face.score, self.face.roll)

    def _bounded(self, box: np.ndarray) -> np.ndarray:
        """A box that is about as large as at the last detection."""
        least, most = self.side / MAX_GROWTH, self.side * MAX_GROWTH
        half = (box[2:] - box[:2]) / 2 * np.clip(_side(box), least, most) / _side(box)
        centre = (box[:2] + box[2:]) / 2
        return np.concatenate([centre - half, centre + half]).astype(np.float32)

    def is_unconfirmed(self, seconds: float) -> bool:
        """Returns whether followed landmarks were not detected for too long."""
        is_late = seconds - self.detected > MAX_UNSEEN
        return is_late and self.num_unseen >= MIN_UNSEEN

    def has_stayed(self, number: int, seconds: float) -> bool:
        """Returns whether nothing has carried a lost face for long enough."""
        frame, time = self.moved
        is_late = seconds - time > MAX_STAY and number - frame > MIN_STAY
        return self.is_lost and is_late


def _side(box: np.ndarray) -> float:
    """Its longer side, pixels."""
    return max(float(max(box[2:] - box[:2])), 1e-6)
