"""Which copies of a picture are searched, and which of them only finely."""

import numpy as np
import pytest

from anonygan_jax.detection.merging import merge
from anonygan_jax.detection.searches import thorough_searches


class Noted:
    """Detector that notes the copies it is given, and tells one box of the first."""

    def __init__(self, side, score, roll):
        self._box = [[50, 50, 50 + side, 50 + side, score, roll]]
        self.asked = []

    def boxes(self, image_u8, fine_only=False):
        self.asked.append((image_u8.shape[:2], fine_only))
        boxes = self._box if len(self.asked) == 1 else []
        return np.array(boxes, np.float32).reshape(-1, 6)


class Parts:
    """Detector that sees a whole face in a small copy, and a part in the finest.

    In pictures whose first pixel is white.
    """

    def boxes(self, image_u8, fine_only=False):
        whole, part = [60, 20, 300, 330, 0.9, 0], [100, 180, 240, 300, 0.65, 0]
        upright = image_u8[0, 0, 0] == 255
        boxes = [[2 * v for v in part[:4]] + part[4:]] if fine_only else [whole]
        return np.array(boxes if upright else [], np.float32).reshape(-1, 6)


def _copies(detector, height, width, every_turn=False):
    """Heights, widths, and whether only the finest of a copy's copies is searched."""
    photo = np.zeros((height, width, 3), np.uint8)
    thorough_searches(detector, photo, 0, is_full=True, every_turn=every_turn)
    return detector.asked


def test_what_the_small_copy_shows_is_not_searched_in_the_fine_one_again():
    small = [((360, 640), False), ((720, 1280), True)]
    turned = [((640, 360), False), ((360, 640), False), ((640, 360), False)]
    assert _copies(Noted(30, 0.9, 0), 360, 640) == small + turned
    large = _copies(Noted(80, 0.9, 0), 900, 1600, every_turn=True)
    assert large == [((900, 1600), False)] + [
        ((640, 360), False),
        ((1600, 900), True),
        ((360, 640), False),
        ((900, 1600), True),
        ((640, 360), False),
        ((1600, 900), True),
    ]


@pytest.mark.parametrize(
    ("side", "score", "roll", "is_searched"),
    [
        (30, 0.5, 0.0, True),  # unclear
        (30, 0.9, 1.0, True),  # rolled
        (30, 0.9, 0.0, False),
        (34, 0.5, 0.0, False),  # the small copies would show it, if it were turned
    ],
)
def test_fine_turned_copies_are_searched_for_small_doubtful_faces(
    side, score, roll, is_searched
):
    asked = _copies(Noted(side, score, roll), 360, 640)
    assert (((1280, 720), True) in asked) == is_searched
    asked = _copies(Noted(side, score, roll), 360, 640, every_turn=True)
    assert (((1280, 720), True) in asked) == (score < 0.6 or roll > 0)


def test_a_part_that_the_finest_copy_shows_is_no_second_face():
    photo = np.zeros((360, 640, 3), np.uint8)
    photo[:9, :9] = 255
    searches = thorough_searches(Parts(), photo, 0, is_full=True, every_turn=True)
    (face,) = merge(searches)
    assert face[2] == 300
