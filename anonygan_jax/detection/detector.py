"""All faces of a photo, with landmarks where there can be any."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from anonygan_jax.faces.face import Face

TILE = 1280  # pixels; photos of more than this have faces too small to be found whole
TILE_OVERLAP = 320  # pixels; a face of this size is whole in at least one tile
MAX_RATIO = 2.0  # of the sizes of two detectors' boxes of one face
OVERLAP = 0.3  # intersection over union beyond which two boxes of tiles are one face


class Detector(Protocol):
    """Finds faces."""

    def boxes(self, image_u8: np.ndarray) -> np.ndarray:
        """Returns float32 [N, 6], the surest first.

        Left, top, right, bottom, score, and the radians by which the face is turned
        clockwise; 0 of detectors that only see upright ones.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
        """


class Landmarker(Protocol):
    """Finds the 68 landmarks of a face."""

    def points(
        self, image_u8: np.ndarray, box_xyxy: np.ndarray, roll: float = 0.0
    ) -> np.ndarray | None:
        """Returns float32 [68, 2] of the face in a box; None where there is none.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
          box_xyxy: float [4], from a detector.
          turn: radians by which the face is turned clockwise, roughly.
        """

    def follow(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray | None:
        """Returns float32 [68, 2] of a face that was at `points_xy` a moment ago."""


@dataclasses.dataclass(frozen=True)
class Detection:
    """Where a detector sees a face.

    Attributes:
      box_xyxy: float32 [4].
      score: the detector's.
      turn: radians clockwise.
    """

    box_xyxy: np.ndarray
    score: float = 1.0
    roll: float = 0.0


class FaceDetector:
    """Detectors so that no face is missed, a landmarker for those that it can do."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        landmarker: Landmarker,
        min_face: float = 0,
        use_tiles: bool = False,
    ) -> None:
        """Keeps what it is given; see `make_detector`."""
        self._detectors = detectors
        self.landmarker = landmarker
        self._min_face = min_face
        self._use_tiles = use_tiles

    def __call__(self, photo: np.ndarray) -> list[Face]:
        """Returns the faces; `points_xy` is [0, 2] where only a box is known.

        Args:
          photo: uint8 [H, W, 3] RGB.
        """
        return [self.face(photo, found) for found in self.boxes(photo)]

    def boxes(self, photo: np.ndarray) -> list[Detection]:
        """Returns where faces are."""
        found: list[Detection] = []
        for detector in self._detectors:
            for *corners, score, roll in self._search(detector, photo):
                box = np.array(corners, np.float32)
                small = max(box[2:] - box[:2]) < self._min_face
                if not small and not any(_is_one_face(box, f.box_xyxy) for f in found):
                    found.append(Detection(box, float(score), float(roll)))
        return found

    def face(self, photo: np.ndarray, found: Detection) -> Face:
        """Returns a face whose box is known, with landmarks if there are any."""
        points = self.landmarker.points(photo, found.box_xyxy, found.roll)
        nowhere = np.zeros((0, 2), np.float32)
        return Face(nowhere if points is None else points, found.box_xyxy, found.score)

    def _search(self, detector: Detector, photo: np.ndarray) -> np.ndarray:
        """Boxes in the whole photo and, if asked, in its tiles."""
        whole = detector.boxes(photo)
        if not self._use_tiles or max(photo.shape[:2]) <= TILE:
            return whole
        found = [whole]
        for top in tile_starts(photo.shape[0]):
            for left in tile_starts(photo.shape[1]):
                tile = np.ascontiguousarray(photo[top : top + TILE, left : left + TILE])
                found.append(detector.boxes(tile) + np.array([left, top] * 2 + [0, 0]))
        return merge(np.concatenate(found).astype(np.float32))


def tile_starts(length: int) -> list[int]:
    """Returns where tiles begin along a side: they overlap and reach its end."""
    last = max(0, length - TILE)
    count = -(-last // (TILE - TILE_OVERLAP)) + 1
    return [round(last * n / max(1, count - 1)) for n in range(count)]


def merge(boxes: np.ndarray) -> np.ndarray:
    """Returns float32 [M, 6], the surest of boxes that overlap."""
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:4] - boxes[:, :2]], -1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), boxes[:, 4].tolist(), 0.0, OVERLAP)
    return boxes[np.asarray(kept, int).reshape(-1)]


def _is_one_face(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two boxes show one face, and not a small one before a large one."""
    sides = sorted(float(max(box[2:] - box[:2])) for box in (a, b))
    return centres_overlap(a, b) and sides[1] < MAX_RATIO * sides[0]


def centres_overlap(a: np.ndarray, b: np.ndarray) -> bool:
    """Returns whether one of two boxes has its centre in the other."""
    return _holds(a, (b[:2] + b[2:]) / 2) or _holds(b, (a[:2] + a[2:]) / 2)


def _holds(box: np.ndarray, point: np.ndarray) -> bool:
    """Whether a point lies in a box."""
    return bool((point >= box[:2]).all() and (point <= box[2:]).all())
