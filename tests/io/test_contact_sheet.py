"""Contact sheets, against pictures pasted by hand."""

import cv2
import numpy as np
import pytest

from anonygan_jax.io.contact_sheet import GREY, LABEL_HEIGHT, contact_sheet

RNG = np.random.default_rng(0)
PICTURES = [RNG.integers(0, 256, (6, 8, 3), np.uint8) for _ in range(5)]


@pytest.mark.parametrize("gap", [0, 2])
def test_pictures_of_the_cell_s_size_are_unchanged(gap):
    rows = [PICTURES[:3], PICTURES[3:]]
    sheet = contact_sheet(rows, (6, 8), gap)
    assert sheet.shape == (2 * (6 + gap) + gap, 3 * (8 + gap) + gap, 3)
    expected = np.full_like(sheet, 255)
    for number, picture in enumerate(PICTURES):
        row, column = divmod(number, 3)
        top, left = gap + row * (6 + gap), gap + column * (8 + gap)
        expected[top : top + 6, left : left + 8] = picture
    np.testing.assert_array_equal(sheet, expected)


def test_other_pictures_keep_their_aspect_ratio_in_the_middle_of_grey():
    wide = RNG.integers(0, 256, (20, 80, 3), np.uint8)
    sheet = contact_sheet([[wide, None]], (40, 40))
    small = cv2.resize(wide, (40, 10), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(sheet[15:25, :40], small)
    assert (sheet[:15, :40] == GREY).all()
    assert (sheet[25:, :40] == GREY).all()
    assert (sheet[:, 40:] == GREY).all()


def test_labels_have_a_place_above_their_rows_alone():
    rows = [PICTURES[:2], PICTURES[2:4]]
    sheet = contact_sheet(rows, (6, 8), labels=[["a", "b"]])
    assert sheet.shape == (12 + LABEL_HEIGHT, 16, 3)
    strip = sheet[:LABEL_HEIGHT]
    assert strip.min() < 100
    assert strip.max() == 255
    np.testing.assert_array_equal(
        sheet[LABEL_HEIGHT:], contact_sheet(rows, (6, 8), labels=[])
    )
