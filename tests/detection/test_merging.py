"""Merged searches: one box a face, and no face lost."""

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from anonygan_jax.detection.copies import turned, turned_back
from anonygan_jax.detection.merging import MIN_IOU, Search, ious, matches, merge

corner, length, score = st.floats(0, 300), st.floats(5, 200), st.floats(0.3, 1)
box = st.tuples(corner, corner, length, length, score).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3], b[4], 0.0)
)
boxes = st.lists(box, max_size=6).map(lambda rows: np.reshape(rows, (-1, 6)))


@given(first=boxes, second=boxes)
def test_every_box_of_two_searches_is_kept_or_covered(first, second):
    kept = merge([Search(first), Search(second)])
    given_boxes = np.concatenate([first, second])
    overlaps = ious(given_boxes, kept)
    assert (overlaps.max(1, initial=0) >= MIN_IOU - 1e-4).all()
    assert len(kept) >= max(len(first), len(second))
    assert (ious(kept, given_boxes).max(1, initial=0) > 0.999).all()  # nothing is new
    assert (np.diff(kept[:, 4]) <= 0).all()


@given(data=st.data(), count=st.integers(0, 5), searches=st.integers(1, 6))
def test_faces_apart_have_one_box_each_however_often_they_are_seen(
    data, count, searches
):
    places = 100.0 * np.arange(count)
    true = np.stack([places, 0 * places, places + 60, 0 * places + 80], -1)
    seen = []
    for number in range(searches):
        there = [n for n in range(count) if number == 0 or data.draw(st.booleans())]
        noise = [data.draw(st.floats(-5, 5)) for _ in range(4 * len(there))]
        scores = [[data.draw(score), 0.0] for _ in there]
        rows = true[there] + np.reshape(noise, (-1, 4))
        seen.append(Search(np.hstack([rows, np.reshape(scores, (-1, 2))])))
    kept = merge(seen)
    assert len(kept) == count
    assert len(matches(ious(true, kept))) == count


@given(first=boxes, second=boxes, turns=st.integers(0, 3))
def test_a_turned_picture_has_the_turned_boxes(first, second, turns):
    size = (700, 500)
    there = [turned_back(b, turns, size) for b in (first, second)]
    merged = turned_back(merge([Search(first), Search(second)]), turns, size)
    again = merge([Search(there[0], turns), Search(there[1], turns)])
    assert sorted(map(tuple, merged.round(1))) == sorted(map(tuple, again.round(1)))


@given(turns=st.integers(0, 3), place=st.tuples(st.integers(0, 30), st.integers(0, 20)))
def test_boxes_are_turned_back_to_where_they_were(turns, place):
    left, top = place
    image = np.zeros((40, 50, 3), np.uint8)
    image[top : top + 12, left : left + 7] = 255
    rows, columns = np.nonzero(turned(image, turns)[..., 0])
    there = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1, 0.9, 0.1]
    (back,) = turned_back(np.array([there], float), turns, image.shape)
    assert back[:4].tolist() == [left, top, left + 7, top + 12]
    assert np.isclose(np.cos(back[5] - 0.1 - turns * np.pi / 2), 1)


large, part = (100, 100, 700, 900, 0.8, 0.0), (200, 300, 400, 560, 0.9, 0.0)
fine = Search(np.array([part]), smallest=32, largest=500)
coarse = Search(np.array([large]), smallest=128)


def test_a_part_of_a_face_too_large_for_its_copy_is_no_face():
    part_before = dataclasses.replace(fine, boxes=np.array([(*part[:4], 0.7, 0.0)]))
    assert merge([part_before, coarse])[:, :4].tolist() == [list(large[:4])]


def test_a_small_face_before_a_large_one_stays_where_both_are_seen():
    both = dataclasses.replace(coarse, boxes=np.array([large, part]))
    assert len(merge([fine, both])) == 2


def test_a_face_too_small_for_the_large_ones_copy_stays():
    blind = dataclasses.replace(coarse, smallest=300)
    assert len(merge([fine, blind])) == 2


def test_an_unclear_box_counts_if_it_is_seen_twice():
    row = np.array([(10, 10, 40, 50, 0.4, 0.0)])
    once = [Search(row, min_score=0.6)]
    assert len(merge(once)) == 0
    assert len(merge([*once, Search(row + [2, 1, 2, 1, 0, 0], 1, min_score=0.6)])) == 1


def test_the_box_is_that_of_the_turn_in_which_the_face_is_upright():
    right, wrong = (10, 10, 40, 50, 0.8, -1.5), (8, 14, 46, 48, 0.85, 0.9)
    found = merge([Search(np.array([wrong])), Search(np.array([right]), 3)])
    np.testing.assert_allclose(found, [right], rtol=1e-6)


def test_the_roll_is_the_one_that_several_views_share():
    shared = (10, 10, 40, 50, 0.75, 0.8), (9, 11, 42, 51, 0.8, 0.9)
    misread = (10, 10, 40, 50, 0.8, -1.57)
    views = zip([*shared, misread], (0, 1, 3), strict=True)
    (found,) = merge([Search(np.array([row]), turns) for row, turns in views])
    assert 0.7 < found[5] < 1


def test_a_face_seen_turned_beside_itself_is_one():
    upright, beside = (10, 10, 40, 50, 0.9, 0.0), (22, 12, 46, 42, 0.7, 3.0)
    assert ious(np.array([upright]), np.array([beside]))[0, 0] < MIN_IOU
    found = merge([Search(np.array([upright])), Search(np.array([beside]), 2)])
    assert len(found) == 1
    assert len(merge([Search(np.array([upright, beside]))])) == 2


def test_a_turned_head_before_a_large_face_stays():
    """It is in no upright search, which shows upright faces only."""
    large = [300, 300, 700, 700, 0.95, 0.0]
    head = [380, 520, 500, 640, 0.8, np.pi]
    found = merge(
        [
            Search(np.array([large], np.float32), 0, 20),
            Search(np.array([head], np.float32), 2, 20, 0.6),
            Search(np.array([head], np.float32) + 1e-3, 2, 20, 0.6),
        ]
    )
    assert len(found) == 2
