"""Boxes from several searches of one picture: one box a face, and no face lost."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

MIN_IOU = 0.45  # of one face's boxes in two searches
CLEAR_SCORE = 0.6  # of a face that one look at an added copy suffices for
ROLL_COST = 0.2  # of the score, for each radian that a face is rolled in its copy
ROLL_SUPPORT = 0.2  # of other views' scores, for a view whose roll they share
MUCH_SMALLER = 0.7  # of the longer side of another face's box
MIN_INSIDE = 0.6  # of the smaller box's area, where two may show one face


@dataclasses.dataclass(frozen=True)
class Search:
    """Boxes from one search of a picture, or of a copy of it.

    Attributes:
      boxes: float32 [N, 6] in pixels of the picture, see `Detector`.
      turns: the quarter turns, clockwise, in the picture, of a face that is upright in
        the copy.
      smallest, largest: longer side of the faces that such a search shows, pixels of
        the picture; of larger ones it shows parts.
      min_score: a box below it counts only if another search has it, too.
      rank: of two boxes of one face that of the lower rank is taken.
    """

    boxes: Float[np.ndarray, "N 6"]
    turns: int = 0
    smallest: float = 0.0
    largest: float = float("inf")
    min_score: float = 0.0
    rank: int = 0


@dataclasses.dataclass(frozen=True)
class _View:
    """One box, float [6], and the search that gave it."""

    box: np.ndarray
    search: Search

    @property
    def trust(self) -> float:
        """See `trust`."""
        return float(trust(self.box[None], self.search.turns)[0])

    def agreement(self, other: "_View") -> float:
        """How much another view of the face supports the roll of this one."""
        return float(other.box[4] * np.cos(other.box[5] - self.box[5]))


@dataclasses.dataclass
class _Face:
    """Views of one face, no two of one search."""

    views: list[_View]

    @functools.cached_property
    def best(self) -> _View:
        """The view that gives the face its box; once no views are added."""
        return max(self.views, key=self._preference)

    def _preference(self, view: _View) -> tuple[float, float]:
        """Larger for the better view: of the first detector, and seen upright."""
        support = sum(view.agreement(other) for other in self.views)
        return -view.search.rank, view.trust + ROLL_SUPPORT * support

    @property
    def is_sure(self) -> bool:
        """Whether it was seen clearly, or twice."""
        view = self.views[0]
        return len(self.views) > 1 or view.box[4] >= view.search.min_score

    def is_small_and_clear(self, other: "_Face") -> bool:
        """Whether it is a face before another, as a head before a close one."""
        is_small = _longer_side(self.best.box) < MUCH_SMALLER * _longer_side(
            other.best.box
        )
        is_clear = sum(view.trust >= CLEAR_SCORE for view in self.views) > 1
        return is_small and is_clear

    def is_seen_badly(self, other: "_Face") -> bool:
        """Whether it is another face, which it overlaps, seen turned or in part.

        It is in no search that shows the other face well, though large enough for one.
        """
        if self.is_small_and_clear(other):
            return False
        good = [view.search for view in other.views if other.is_shown_well(view.search)]
        return not any(other.is_shown_well(view.search) for view in self.views) and any(
            search.smallest < _longer_side(self.best.box) for search in good
        )

    def is_shown_well(self, search: Search) -> bool:
        """Whether a search shows the face upright and whole."""
        is_whole = search.largest >= _longer_side(self.best.box)
        return is_whole and search.turns == self.best.search.turns


def merge(searches: Sequence[Search]) -> Float[np.ndarray, "M 6"]:
    """Returns float32 [M, 6], one box a face, by descending score.

    Two boxes of one search are two faces. A box is left out only if it overlaps another
    of its face (intersection over union of MIN_IOU or more), if it is a face that
    another search shows better, or if it was seen once and not clearly.
    """
    faces = [face for face in _faces(searches) if face.is_sure]
    faces.sort(key=lambda face: -face.best.trust)
    boxes = np.array([face.best.box for face in faces], np.float32).reshape(-1, 6)
    areas = _areas(boxes)
    least = MIN_INSIDE * np.minimum(areas[:, None], areas)
    overlaps = intersections(boxes, boxes) > least
    kept: list[int] = []
    for number, face in enumerate(faces):
        near = [faces[n] for n in kept if overlaps[number, n]]
        if not any(face.is_seen_badly(other) for other in near):
            kept.append(number)
    boxes = boxes[kept]
    return boxes[np.argsort(-boxes[:, 4], kind="stable")]


def _faces(searches: Sequence[Search]) -> list[_Face]:
    """The faces: boxes are joined that overlap, those that overlap most first."""
    views = [_View(box, search) for search in searches for box in search.boxes]
    boxes = np.array([view.box for view in views], np.float32).reshape(-1, 6)
    overlaps = np.triu(ious(boxes, boxes), 1)
    pairs = np.argwhere(overlaps >= MIN_IOU)
    order = np.argsort(-overlaps[tuple(pairs.T)], kind="stable")
    joined = [[number] for number in range(len(views))]  # each view's face
    seen_in = [{id(view.search)} for view in views]  # the searches that have it
    for one, other in pairs[order]:
        if seen_in[one].isdisjoint(seen_in[other]):
            joined[one] += joined[other]
            seen_in[one] |= seen_in[other]
            for number in joined[other]:
                joined[number], seen_in[number] = joined[one], seen_in[one]
    faces = {id(numbers): numbers for numbers in joined}.values()
    return [_Face([views[number] for number in numbers]) for numbers in faces]


def trust(boxes: Float[np.ndarray, "N 6"], turns: int) -> Float[np.ndarray, " N"]:
    """Returns float [N]: the score, less of a face that is rolled in its copy.

    Args:
      turns: quarter turns of the copy, see `Search`.
    """
    roll = np.angle(np.exp(1j * (boxes[:, 5] - turns * np.pi / 2)))
    return boxes[:, 4] - ROLL_COST * np.abs(roll)


def matches(overlaps: Float[np.ndarray, "N M"]) -> list[tuple[int, int]]:
    """Returns pairs of boxes of one face, each box in one pair, the nearest first.

    Args:
      overlaps: intersection over union of N boxes with M others.
    """
    pairs: list[tuple[int, int]] = []
    left = np.array(overlaps, np.float64)
    while left.size and left.max() >= MIN_IOU:
        row, column = np.unravel_index(left.argmax(), left.shape)
        pairs.append((int(row), int(column)))
        left[row], left[:, column] = 0, 0
    return pairs


def ious(
    a: Float[np.ndarray, "N _"], b: Float[np.ndarray, "M _"]
) -> Float[np.ndarray, "N M"]:
    """Returns float [N, M], intersection over union of N boxes with M others."""
    common = intersections(a, b)
    union = _areas(a)[:, None] + _areas(b) - common
    return common / np.maximum(union, 1e-9)


def intersections(
    a: Float[np.ndarray, "N _"], b: Float[np.ndarray, "M _"]
) -> Float[np.ndarray, "N M"]:
    """Returns float [N, M], square pixels that N boxes have in common with M others."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    return np.clip(high - low, 0, None).prod(-1)


def _areas(boxes: np.ndarray) -> np.ndarray:
    """Square pixels, float [N]."""
    return np.clip(boxes[:, 2:4] - boxes[:, :2], 0, None).prod(-1)


def _longer_side(box: np.ndarray) -> float:
    """Pixels."""
    return float(max(box[2:4] - box[:2]))
