"""Face detection: boxes of all faces, and landmarks where they are found."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.boxes import exceeds, points_fit
from anonygan_jax.detection.copies import doubled, reduced, turned, turned_back
from anonygan_jax.detection.merging import (
    CLEAR_SCORE,
    Search,
    ious,
    matches,
    merge,
    trust,
)
from anonygan_jax.faces.face import Face

TILE = 1280  # pixels; in larger photos small faces are lost in the reduced copy
TILE_OVERLAP = 320  # pixels; a face of this size is whole in at least one tile
FINE_SIDE = 1600  # pixels of a thorough search's copy; detectors may reduce it
QUICK_SIDE = 640  # pixels of a quick search's copy
# Of a turned face that gets landmarks; some upright ones are found upside down, too.
SURE_SCORE = 0.75
TURNED_SCORE = 0.4  # of a turned face in a fine copy of a photo
SMALLEST = 32 / QUICK_SIDE  # of a copy's longer side: a face that it surely shows


class Detector(Protocol):
    """Detector of boxes of faces."""

    def boxes(self, image_u8: UInt8[np.ndarray, "H W 3"]) -> Float[np.ndarray, "N 6"]:
        """Returns float32 [N, 6], by descending score.

        Left, top, right, bottom, score, and the roll in radians clockwise; 0 of
        detectors that find upright faces only.
        """


class Landmarker(Protocol):
    """Detector of the 68 landmarks of a face."""

    def points(
        self,
        image_u8: UInt8[np.ndarray, "H W 3"],
        box_xyxy: Float[np.ndarray, "4"],
        roll: float = 0.0,
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns float32 [68, 2] of the face in a box; None where no face is found.

        Args:
          roll: of the face, radians clockwise, approximately.
        """

    def follow(
        self, image_u8: UInt8[np.ndarray, "H W 3"], points_xy: Float[np.ndarray, "68 2"]
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns landmarks by those in the frame before; None where none are found."""


@dataclasses.dataclass(frozen=True)
class Detection:
    """Box of one detected face.

    Attributes:
      box_xyxy: float32 [4]: left, top, right, bottom.
      roll: radians clockwise, -pi to pi.
    """

    box_xyxy: Float[np.ndarray, "4"]
    score: float = 1.0
    roll: float = 0.0

    @property
    def turns(self) -> int:
        """The nearest number of quarter turns clockwise, 0 to 3."""
        return round(2 * self.roll / np.pi) % 4


class FaceDetector:
    """Union of the faces of several detectors, with a landmarker's landmarks."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        landmarker: Landmarker,
        min_face: float = 0,
        use_tiles: bool = False,
    ) -> None:
        self._detectors = detectors
        self.landmarker = landmarker
        self._min_face = min_face
        self._use_tiles = use_tiles

    def __call__(self, photo: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        """Returns the faces; `points_xy` is [0, 2] where no landmarks are found."""
        boxes = self.boxes(photo, every_turn=True)
        return [self.face(photo, found) for found in boxes]

    def boxes(
        self,
        photo: UInt8[np.ndarray, "H W 3"],
        is_full: bool = True,
        every_turn: bool = False,
    ) -> list[Detection]:
        """Returns the boxes of the faces, of any roll, by descending score.

        Args:
          is_full: False for frames of a video between those with a full search: there
            turned faces of less than 16 pixels of 640 are lost.
          every_turn: whether small turned faces are looked for beside clear upright
            ones, too, as in photos.
        """
        searches: list[Search] = []
        for rank, detector in enumerate(self._detectors):
            searches += _thorough(detector, photo, rank, is_full, every_turn)
            searches += self._in_tiles(detector, photo, rank)
        return self._detections(searches)

    def quick_boxes(
        self, photo: UInt8[np.ndarray, "H W 3"], turns: tuple[int, ...] = (0,)
    ) -> list[Detection]:
        """Returns the boxes of the faces that a reduced copy shows.

        For frames between those that are searched by `boxes`.

        Args:
          turns: quarter turns, 0 to 3, of the faces, see `Detection.turns`.
        """
        quick = reduced(photo, QUICK_SIDE)
        return self._detections(
            [
                _search(detector, photo, quick, number, rank=rank)
                for rank, detector in enumerate(self._detectors)
                for number in turns
            ]
        )

    def face(self, photo: UInt8[np.ndarray, "H W 3"], found: Detection) -> Face:
        """Returns the face of a detection, with landmarks if they are found.

        There are none where it may be an upright face that was taken for a turned one.
        """
        box, roll, points = found.box_xyxy, found.roll, None
        is_doubtful = found.turns and found.score < SURE_SCORE
        if not exceeds(box, photo.shape):
            points = self._fitting_points(photo, box, roll)
        if is_doubtful and self._fitting_points(photo, box, 0.0) is not None:
            points = None
        no_points = np.zeros((0, 2), np.float32)
        return Face(no_points if points is None else points, box, found.score, roll)

    def _fitting_points(
        self, photo: np.ndarray, box: np.ndarray, roll: float
    ) -> np.ndarray | None:
        """Landmarks of the face in a box, if there are any that fit it."""
        points = self.landmarker.points(photo, box, roll)
        if points is None or not points_fit(points, box, roll):
            return None
        return points

    def _detections(self, searches: list[Search]) -> list[Detection]:
        """The faces of some searches that are large enough."""
        boxes = merge(searches)
        boxes = boxes[(boxes[:, 2:4] - boxes[:, :2]).max(-1) >= self._min_face]
        return [
            Detection(box[:4].copy(), float(box[4]), float(box[5])) for box in boxes
        ]

    def _in_tiles(
        self, detector: Detector, photo: np.ndarray, rank: int
    ) -> Iterator[Search]:
        """The search of each tile of a photo, if that is asked."""
        if not self._use_tiles or max(photo.shape[:2]) <= TILE:
            return
        for top in tile_starts(photo.shape[0]):
            for left in tile_starts(photo.shape[1]):
                tile = np.ascontiguousarray(photo[top : top + TILE, left : left + TILE])
                boxes = detector.boxes(tile) + np.array([left, top] * 2 + [0, 0])
                yield Search(boxes.astype(np.float32), largest=TILE_OVERLAP, rank=rank)


def _thorough(
    detector: Detector, photo: np.ndarray, rank: int, is_full: bool, every_turn: bool
) -> list[Search]:
    """The searches of a photo as it is and turned.

    A small photo is searched in twice its size, too: else faces of 12 pixels are lost.
    A turned copy is small. A large one is searched where the small one shows a face
    better than the upright searches do, clear or not. In a full search it is, too,
    where a face that these show may be a turned one, or if they show none. With every
    turn it always is, for photos larger than the small copy.
    """
    quick = reduced(photo, QUICK_SIDE)
    if quick is photo:
        fine = doubled(photo)
        upright = [
            _search(detector, photo, photo, rank=rank),
            _search(detector, photo, fine, 0, CLEAR_SCORE, rank),
        ]
    else:
        fine = reduced(photo, FINE_SIDE)
        upright = [_search(detector, photo, fine, rank=rank)]
    known, others = merge(upright), []
    is_asked = (every_turn and quick is not photo) or (
        is_full and _may_be_turned(known)
    )
    for turns in (1, 2, 3):
        others.append(_search(detector, photo, quick, turns, CLEAR_SCORE, rank))
        if is_asked or _adds_faces(others[-1], known):
            score = TURNED_SCORE if every_turn else CLEAR_SCORE
            others.append(_search(detector, photo, fine, turns, score, rank))
    return upright + others


def _search(
    detector: Detector,
    photo: np.ndarray,
    copy: np.ndarray,
    turns: int = 0,
    min_score: float = 0.0,
    rank: int = 0,
) -> Search:
    """The search of a copy of a photo, turned; its boxes are the photo's."""
    found = turned_back(detector.boxes(turned(copy, turns)), turns, copy.shape)
    found[:, :4] *= np.tile(np.divide(photo.shape[1::-1], copy.shape[1::-1]), 2)
    smallest = SMALLEST * max(photo.shape[:2])
    return Search(found, turns, smallest, min_score=min_score, rank=rank)


def _may_be_turned(known: np.ndarray) -> bool:
    """Whether an upright search found no face, or one that is unclear or rolled."""
    is_odd = (known[:, 4] < CLEAR_SCORE) | (np.abs(known[:, 5]) > np.pi / 4)
    return not len(known) or bool(is_odd.any())


def _adds_faces(found: Search, known: np.ndarray) -> bool:
    """Whether a turned copy shows a face that is unknown, or shows it better."""
    pairs = matches(ious(found.boxes, known))
    old, new = trust(known, 0), trust(found.boxes, found.turns)
    return len(pairs) < len(found.boxes) or any(new[n] > old[m] for n, m in pairs)


def tile_starts(length: int) -> list[int]:
    """Returns the first pixels of tiles along a side of some pixels; they overlap."""
    last = max(0, length - TILE)
    count = -(-last // (TILE - TILE_OVERLAP)) + 1
    return [round(last * n / max(1, count - 1)) for n in range(count)]
