"""Searches of a photo for faces: as it is, turned, in tiles, in reduced copies."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.copies import doubled, reduced, turned, turned_back
from anonygan_jax.detection.merging import (
    CLEAR_SCORE,
    Search,
    ious,
    matches,
    merge,
    trust,
)

TILE = 1280  # pixels; in larger photos small faces are lost in the reduced copy
TILE_OVERLAP = 320  # pixels; a face of this size is whole in at least one tile
FINE_SIDE = 1600  # pixels of a thorough search's copy; detectors may reduce it
WIDE = 3  # times longer than the other side: such photos are searched in tiles, too
QUICK_SIDE = 640  # pixels of a quick search's copy
TURNED_SCORE = 0.4  # of a turned face in a fine copy of a photo
SMALLEST = 32 / QUICK_SIDE  # of a copy's longer side: a face that it surely shows
LARGEST_FINE = 550 / TILE  # likewise: of larger ones the finest copy shows parts


class Detector(Protocol):
    """Detector of boxes of faces."""

    def boxes(
        self, image_u8: UInt8[np.ndarray, "H W 3"], fine_only: bool = False
    ) -> Float[np.ndarray, "N 6"]:
        """Returns float32 [N, 6], by descending score.

        Left, top, right, bottom, score, and the roll in radians clockwise; 0 of
        detectors that find upright faces only.

        Args:
          fine_only: whether faces may be left out that a copy of half the size shows.
        """


def tile_searches(detector: Detector, photo: np.ndarray, rank: int) -> Iterator[Search]:
    """Yields the search of each tile of a photo that has several."""
    if max(photo.shape[:2]) <= TILE:
        return
    for top in tile_starts(photo.shape[0]):
        for left in tile_starts(photo.shape[1]):
            tile = np.ascontiguousarray(photo[top : top + TILE, left : left + TILE])
            boxes = detector.boxes(tile) + np.array([left, top] * 2 + [0, 0])
            yield Search(boxes.astype(np.float32), largest=TILE_OVERLAP, rank=rank)


def part_search(
    detector: Detector, photo: np.ndarray, part_xyxy: np.ndarray, rank: int
) -> Search:
    """Returns the full search of a part of a photo; its boxes are the photo's.

    Of faces that are larger than half the part it may show parts.
    """
    left, top, right, bottom = part_xyxy
    part = np.ascontiguousarray(photo[top:bottom, left:right])
    boxes = merge(thorough_searches(detector, part, rank, True, False))
    boxes = boxes + np.array([left, top] * 2 + [0, 0])
    largest = max(part.shape[:2]) / 2
    return Search(boxes.astype(np.float32), largest=largest, rank=rank)


def thorough_searches(
    detector: Detector, photo: np.ndarray, rank: int, is_full: bool, every_turn: bool
) -> list[Search]:
    """Returns the searches of a photo as it is and turned.

    A small photo is searched in twice its size, too: else faces of 12 pixels are lost.
    A turned copy is small. A large one is searched where the small one shows a face
    better than the upright searches do, clear or not. In a full search it is, too,
    where a small face that these show may be a turned one, or if they show none. With
    every turn it always is, for photos larger than the small copy.
    """
    quick = reduced(photo, QUICK_SIDE)
    # In photos of a small size a turned face may be beside an odd one of any size.
    smallest = float("inf") if every_turn else _smallest(photo)
    if quick is photo:
        fine = doubled(photo)
        upright = [
            search_copy(detector, photo, photo, rank=rank),
            search_copy(detector, photo, fine, 0, CLEAR_SCORE, rank, fine_only=True),
        ]
    else:
        fine = reduced(photo, FINE_SIDE)
        upright = [search_copy(detector, photo, fine, rank=rank)]
    known, others = merge(upright), []
    is_asked = (every_turn and quick is not photo) or (
        is_full and _may_be_turned(known, smallest)
    )
    for turns in (1, 2, 3):
        others.append(search_copy(detector, photo, quick, turns, CLEAR_SCORE, rank))
        if is_asked or _adds_faces(others[-1], known):
            score = TURNED_SCORE if every_turn else CLEAR_SCORE
            others.append(
                search_copy(detector, photo, fine, turns, score, rank, fine_only=True)
            )
    return upright + others


def search_copy(
    detector: Detector,
    photo: np.ndarray,
    copy: np.ndarray,
    turns: int = 0,
    min_score: float = 0.0,
    rank: int = 0,
    fine_only: bool = False,
) -> Search:
    """Returns the search of a copy of a photo, turned; its boxes are the photo's.

    Args:
      turns: quarter turns clockwise, 0 to 3.
      rank: of the detector, the preferred first.
      fine_only: see `Detector`.
    """
    found = detector.boxes(turned(copy, turns), fine_only)
    found = turned_back(found, turns, copy.shape)
    found[:, :4] *= np.tile(np.divide(photo.shape[1::-1], copy.shape[1::-1]), 2)
    side = max(photo.shape[:2])
    largest = LARGEST_FINE * side if fine_only else float("inf")
    return Search(found, turns, _smallest(photo), largest, min_score, rank)


def _smallest(photo: np.ndarray) -> float:
    """The longer side of the smallest faces that a small copy surely shows."""
    return SMALLEST * max(photo.shape[:2])


def _may_be_turned(known: np.ndarray, smallest: float) -> bool:
    """Whether an upright search found no face, or a small one, unclear or rolled.

    Args:
      smallest: longer side of small ones, pixels.
    """
    is_odd = (known[:, 4] < CLEAR_SCORE) | (np.abs(known[:, 5]) > np.pi / 4)
    is_small = (known[:, 2:4] - known[:, :2]).max(-1) < smallest
    return not len(known) or bool((is_odd & is_small).any())


def _adds_faces(found: Search, known: np.ndarray) -> bool:
    """Whether a turned copy shows a face that is unknown, or shows it better."""
    pairs = matches(ious(found.boxes, known))
    old, new = trust(known, 0), trust(found.boxes, found.turns)
    return len(pairs) < len(found.boxes) or any(new[n] > old[m] for n, m in pairs)


def is_wide(photo: np.ndarray) -> bool:
    """Whether the reduced copies of a photo are narrow strips, as of a panorama."""
    short, long = sorted(photo.shape[:2])
    return long > max(FINE_SIDE, WIDE * short)


def tile_starts(length: int) -> list[int]:
    """Returns the first pixels of tiles along a side of some pixels; they overlap."""
    last = max(0, length - TILE)
    count = -(-last // (TILE - TILE_OVERLAP)) + 1
    return [round(last * n / max(1, count - 1)) for n in range(count)]
