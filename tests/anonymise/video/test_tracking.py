"""Faces tracked from frame to frame, with a stand-in for the detector."""

import numpy as np
import pytest

from anonygan_jax.anonymise.video.tracking import MAX_GAP, MAX_MISSED_SEARCHES, Tracker
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import Face

SHAPE = np.random.default_rng(0).uniform(0, 50, (68, 2)).astype(np.float32)


class Stage:
    """Faces at given places: stands for detector and landmarker."""

    def __init__(self) -> None:
        self.places: list[tuple[float, float]] = []
        self.has_points = True
        self.searches = 0

    @property
    def landmarker(self) -> "Stage":
        return self

    def boxes(self, _):
        self.searches += 1
        return [Detection(self._box(place), 0.9) for place in self.places]

    def face(self, _, found):
        box = found.box_xyxy
        points = SHAPE + box[:2] if self.has_points else SHAPE[:0]
        return Face(points.astype(np.float32), box, found.score)

    def follow(self, _, points):
        for place in self.places:
            if np.linalg.norm(points[0] - SHAPE[0] - place) < 20:
                return (SHAPE + place).astype(np.float32)
        return None

    @staticmethod
    def _box(place):
        return np.array([*place, place[0] + 50, place[1] + 50], np.float32)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def _run(stage, script, search_every=5, is_same=lambda *_: True, images=None):
    """Track numbers seen in each frame, for places by frame."""
    tracker = Tracker(stage, search_every, is_same)
    seen, ended = [], []
    for number, places in enumerate(script):
        stage.places = places
        image = images[number] if images else np.full((60, 80, 3), 99, np.uint8)
        now, over = tracker.step(number, image)
        seen.append({t.number: tuple(np.round(t.face.box_xyxy[:2])) for t in now})
        ended += [track.number for track in over]
    return seen, ended, [track.number for track in tracker.close()]


def test_a_moving_face_is_one_track_and_is_seldom_searched(stage):
    script = [[(3.0 * n, 10.0)] for n in range(50)]
    seen, ended, open_still = _run(stage, script)
    assert [list(frame) for frame in seen] == [[0]] * 50
    assert seen[33][0] == (99, 10)
    assert stage.searches == 10 + 4  # in each of a scene's first frames
    assert (ended, open_still) == ([], [0])


def test_faces_that_come_and_go_are_tracks_of_their_own(stage):
    script = [[(0.0, 0.0)]] * 10 + [[(0.0, 0.0), (200.0, 0.0)]] * 10
    script += [[(200.0, 0.0)]] * (MAX_GAP + 5)
    seen, ended, open_still = _run(stage, script)
    assert set(seen[9]) == {0}
    assert set(seen[15]) == {0, 1}
    assert set(seen[-1]) == {1}
    assert (ended, open_still) == ([0], [1])


def test_a_face_lost_for_a_while_is_the_same_track_if_it_is_the_same_person(stage):
    script = [[(0.0, 0.0)]] * 8 + [[]] * 10 + [[(6.0, 0.0)]] * 8
    seen, _, _ = _run(stage, script)
    assert [set(seen[n]) for n in (7, 12, 25)] == [{0}, set(), {0}]
    seen, ended, _ = _run(Stage(), script, is_same=lambda *_: False)
    assert set(seen[25]) == {1}
    assert ended == [0]


def test_another_scene_ends_all_tracks(stage):
    dark, light = (np.full((60, 80, 3), level, np.uint8) for level in (20, 120))
    seen, ended, _ = _run(stage, [[(0.0, 0.0)]] * 10, images=[dark] * 5 + [light] * 5)
    assert [set(frame) for frame in seen] == [{0}] * 5 + [{1}] * 5
    assert ended == [0]


def test_after_a_flash_faces_are_searched_until_they_are_found(stage):
    dark, light = (np.full((60, 80, 3), level, np.uint8) for level in (20, 220))
    script = [[(0.0, 0.0)]] * 7 + [[]] + [[(0.0, 0.0)]] * 7
    images = [dark] * 7 + [light] + [dark] * 7
    seen, _, _ = _run(stage, script, search_every=50, images=images)
    assert [len(frame) for frame in seen] == [1] * 7 + [0] + [1] * 7


def test_a_followed_face_that_searches_never_see_is_given_up(stage):
    tracker = Tracker(stage, 1, lambda *_: True)
    stage.places = [(0.0, 0.0)]
    tracker.step(0, np.zeros((60, 80, 3), np.uint8))
    stage.boxes = lambda _: []  # something is followed that is no face
    ends = []
    for number in range(1, MAX_MISSED_SEARCHES + 10):
        _, over = tracker.step(number, np.zeros((60, 80, 3), np.uint8))
        ends += [number] * len(over)
    assert ends == [MAX_MISSED_SEARCHES + 1]


def test_faces_without_landmarks_are_searched_in_each_frame_while_they_move(stage):
    stage.has_points = False
    _run(stage, [[(4.0 * n, 0.0)] for n in range(26)])
    assert stage.searches > 20
    calm = Stage()
    calm.has_points = False
    _run(calm, [[(0.1 * n, 0.0)] for n in range(26)])
    assert calm.searches == 6 + 4
