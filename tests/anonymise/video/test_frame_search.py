"""Searches that are made ahead change nothing but who makes them."""

import types

import hypothesis
import hypothesis.strategies as st
import numpy as np

from anonygan_jax.anonymise.video.frame_search import FrameSearch
from anonygan_jax.detection.detector import Detection

IMAGE = np.zeros((2, 2, 3), np.uint8)


class Detector:
    """Finds one box, whose numbers say which search found it."""

    def __init__(self) -> None:
        self.calls: list[list[float]] = []

    def boxes(self, image, is_full=True):
        return self._found([1, is_full, image[0, 0, 0], 0])

    def quick_boxes(self, image, turns):
        return self._found([0, len(turns), image[0, 0, 0], sum(turns)])

    def _found(self, numbers):
        self.calls.append(numbers)
        return [Detection(np.array(numbers, np.float32))]


def _track(number, turns, is_lost):
    box = np.array([900, 900, 950, 950], np.float32)  # no search finds it there
    face = types.SimpleNamespace(box_xyxy=box)
    return types.SimpleNamespace(number=number, turns=turns, is_lost=is_lost, face=face)


FRAMES = st.lists(
    st.tuples(
        st.sampled_from([1 / 30, 1 / 10]),  # seconds since the frame before
        st.booleans(),  # a scene begins
        st.lists(st.tuples(st.sampled_from([0, 0, 1, 2]), st.booleans()), max_size=2),
        st.booleans(),  # faces are followed
    ),
    min_size=1,
    max_size=20,
)


@hypothesis.given(FRAMES, st.sampled_from([1, 5, 9]))
def test_results_are_those_of_searches_in_order(frames, every):
    kinds = {"in order": FrameSearch(Detector(), every, None)}
    kinds["ahead"] = FrameSearch(Detector(), every, None)
    seconds, start = 0.0, 0
    for number, (pause, begins, about, are_followed) in enumerate(frames):
        image = np.full_like(IMAGE, number)
        seconds, start = seconds + pause, number if begins else start
        tracks = [_track(n, *known) for n, known in enumerate(about)]
        followed = {t.number: t.face if are_followed else None for t in tracks}
        results = []
        for name, search in kinds.items():
            made = search.ahead(number, image) if name == "ahead" else None
            arguments = number, image, seconds, start, tracks, followed, made
            found, is_thorough = search(*arguments)
            boxes = [detection.box_xyxy.tolist() for detection in found]
            results.append((boxes, is_thorough, search.was_full))
        assert results[0] == results[1]


def test_what_was_made_ahead_is_not_made_again():
    detector = Detector()
    search = FrameSearch(detector, 5, None)
    for number in range(12):
        made = search.ahead(number, IMAGE)
        search(number, IMAGE, number / 30, 0, [], {}, made)
    assert len(detector.calls) == 12
    known = FrameSearch(detector, 5, {})
    assert known.ahead(0, IMAGE) is None
    assert len(detector.calls) == 12
