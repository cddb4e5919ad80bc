"""Face detection: boxes of all faces, and landmarks where they are found."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int, UInt8

from anonygan_jax.detection.boxes import exceeds, points_fit
from anonygan_jax.detection.copies import reduced
from anonygan_jax.detection.merging import Search, merge
from anonygan_jax.detection.searches import (
    QUICK_SIDE,
    Detector,
    is_wide,
    part_search,
    search_copy,
    thorough_searches,
    tile_searches,
)
from anonygan_jax.faces.face import Face

# Of a turned face that gets landmarks; some upright ones are found upside down, too.
SURE_SCORE = 0.75


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
            searches += thorough_searches(detector, photo, rank, is_full, every_turn)
            if self._use_tiles or (is_full and is_wide(photo)):
                searches += tile_searches(detector, photo, rank)
        return self._detections(searches)

    def quick_boxes(
        self,
        photo: UInt8[np.ndarray, "H W 3"],
        turns: tuple[int, ...] = (0,),
        parts: Sequence[Int[np.ndarray, "4"]] = (),
    ) -> list[Detection]:
        """Returns the boxes of the faces that a reduced copy shows.

        For frames between those that are searched by `boxes`.

        Args:
          turns: quarter turns, 0 to 3, of the faces, see `Detection.turns`.
          parts: left, top, right, bottom of parts that are searched in full, too.
        """
        quick = reduced(photo, QUICK_SIDE)
        searches = []
        for rank, detector in enumerate(self._detectors):
            searches += [
                search_copy(detector, photo, quick, number, rank=rank)
                for number in turns
            ]
            searches += [part_search(detector, photo, part, rank) for part in parts]
        return self._detections(searches)

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
