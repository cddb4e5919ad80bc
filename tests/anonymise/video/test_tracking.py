"""Faces tracked from frame to frame, with a stand-in for the detector."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.anonymise.video.track import MIN_STAY, MIN_UNSEEN
from anonygan_jax.anonymise.video.tracking import (
    CERTAIN,
    LIKELY,
    OTHER,
    UNKNOWN,
    Tracker,
)
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import Face

SHAPE = np.random.default_rng(0).uniform(5, 45, (68, 2)).astype(np.float32)
SHAPE[:, 1] += 6  # landmarks are a little below the middle of a detector's box
FPS = 30.0


class Stage:
    """Faces at given places: stands for detector and landmarker."""

    def __init__(self) -> None:
        self.places: list[tuple[float, float]] = []
        self.has_points = True
        self.full = self.thorough = self.quick = 0
        self.quick_sees = True

    @property
    def landmarker(self) -> "Stage":
        return self

    def boxes(self, _, is_full=True):
        self.thorough += 1
        self.full += is_full
        return [Detection(self._box(place), 0.9) for place in self.places]

    def quick_boxes(self, _, turns, parts=()):
        self.quick += 1
        assert turns == (0,)
        places = self.places if self.quick_sees else []
        return [Detection(self._box(place), 0.9) for place in places]

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


WALL = np.random.default_rng(1).integers(90, 110, (240, 320, 3), np.uint8)


def _run(
    stage,
    script,
    search_every=5,
    likeness=UNKNOWN,
    images=None,
    fps=FPS,
    checks_identity=False,
):
    """Tracks of each frame by number, for places by frame: place, whether lost."""
    of = likeness if callable(likeness) else lambda *_: likeness
    tracker = Tracker(stage, search_every, of, checks_identity)
    seen, ended = [], []
    for number, places in enumerate(script):
        stage.places = places
        image = images[number] if images else WALL
        now, over = tracker.step(number, image, number / fps)
        seen.append(
            {t.number: (*np.round(t.face.box_xyxy[:2]), t.is_lost) for t in now}
        )
        ended += [track.number for track in over]
    return seen, ended, [track.number for track in tracker.close()]


def test_a_moving_face_is_one_track_and_is_mostly_searched_quickly(stage):
    script = [[(3.0 * n, 10.0)] for n in range(50)]
    seen, ended, open_still = _run(stage, script)
    assert [list(frame) for frame in seen] == [[0]] * 50
    assert seen[33][0] == (99, 10, False)
    assert stage.thorough == 10 + 4  # in each of a scene's first frames
    assert stage.quick == 50 - 14
    assert stage.full == 10
    assert (ended, open_still) == ([], [0])


def test_full_searches_are_at_most_nine_frames_apart(stage):
    _run(stage, [[(3.0, 10.0)]] * 50, search_every=1000)
    assert stage.full == 6
    assert stage.thorough == 6 + 4  # in each of a scene's first five frames
    assert stage.quick == 50 - 10


def test_frames_far_apart_are_all_searched_thoroughly(stage):
    _run(stage, [[(3.0, 10.0)]] * 20, fps=8.0)
    assert (stage.full, stage.thorough, stage.quick) == (20, 20, 0)


def test_a_face_that_comes_is_another_track(stage):
    script = [[(0.0, 0.0)]] * 10 + [[(0.0, 0.0), (200.0, 0.0)]] * 10
    seen, ended, open_still = _run(stage, script)
    assert [set(frame) for frame in seen] == [{0}] * 10 + [{0, 1}] * 10
    assert (ended, open_still) == ([], [0, 1])


def test_landmarks_outside_the_detected_box_are_not_that_face(stage):
    """The fault of slow videos: a face is followed to where it is no more."""
    script = [[(60.0, 60.0)]] * 3 + [[(90.0, 60.0)]] * 3
    stage.follow = lambda _, points: points  # finds a face wherever it looks
    seen, _, _ = _run(stage, script)
    assert any(place == (90, 60, False) for place in seen[3].values())
    assert seen[3][0] == (60, 60, False)  # the old place is another possible one


def test_landmarks_outside_the_box_of_the_same_person_are_given_up(stage):
    script = [[(60.0, 60.0)]] * 3 + [[(90.0, 60.0)]] * 3
    stage.follow = lambda _, points: points
    seen, _, _ = _run(stage, script, likeness=CERTAIN)
    assert seen[3:] == [{0: (90, 60, False)}] * 3


def test_a_lost_face_stays_where_it_was_on_a_still_picture(stage):
    seen, ended, _ = _run(stage, [[(60.0, 60.0)]] * 5 + [[]] * 60)
    assert seen[5:] == [{0: (60, 60, True)}] * 60
    assert ended == []


def _rolled(steps: int) -> list[np.ndarray]:
    """A textured picture that moves to the right by some pixels a frame."""
    rng = np.random.default_rng(2)
    coarse = rng.integers(60, 140, (60, 200), np.uint8)
    wide = np.kron(coarse, np.ones((4, 4), np.uint8))
    return [
        np.repeat(np.roll(wide, steps * n, 1)[:, 240:560, None], 3, -1).copy()
        for n in range(40)
    ]


def test_motion_carries_a_lost_face_until_it_leaves_the_picture(stage):
    images = _rolled(6)
    script = [[(200.0 + 6 * n, 60.0)] for n in range(5)] + [[]] * 35
    seen, ended, _ = _run(stage, script, images=images)
    for n in (8, 12, 16):
        ((x, y, is_lost),) = seen[n].values()
        assert is_lost
        assert (x, y) == pytest.approx((200 + 6 * n, 60), abs=3)
    assert ended == [0]
    assert seen[-1] == {}


def test_what_is_detected_once_is_not_carried_for_ever(stage):
    script = [[(60.0, 60.0)]] + [[]] * 40
    seen, ended, _ = _run(stage, script)
    assert [set(frame) for frame in seen[: MIN_STAY + 1]] == [{0}] * (MIN_STAY + 1)
    assert ended == [0]


def test_a_face_found_again_is_the_same_track_if_it_is_the_same_person(stage):
    script = [[(0.0, 0.0)]] * 8 + [[]] * 10 + [[(6.0, 0.0)]] * 8
    seen, _, _ = _run(stage, script)
    assert [set(frame) for frame in seen] == [{0}] * 26
    assert [frame[0][2] for frame in seen] == [False] * 8 + [True] * 10 + [False] * 8
    seen, ended, _ = _run(Stage(), script, likeness=OTHER)
    assert set(seen[25]) == {1}
    assert ended == [0]


def test_a_lost_face_that_is_found_elsewhere_is_the_same_track(stage):
    script = [[(0.0, 0.0)]] * 8 + [[]] * 2 + [[(200.0, 90.0)]] * 4
    seen, _, _ = _run(stage, script, likeness=CERTAIN)
    assert seen[-1] == {0: (200, 90, False)}
    for likeness in (UNKNOWN, OTHER, LIKELY):  # both places count
        seen, _, _ = _run(Stage(), script, likeness=likeness)
        assert seen[-1] == {0: (0, 0, True), 1: (200, 90, False)}


def test_the_old_place_of_who_is_likely_elsewhere_is_left_after_a_second(stage):
    script = [[(0.0, 0.0)]] * 8 + [[]] * 2 + [[(200.0, 90.0)]] * 50
    seen, ended, _ = _run(stage, script, likeness=LIKELY)
    assert set(seen[36]) == {0, 1}
    assert set(seen[-1]) == {1}
    assert ended == [0]


def test_a_followed_face_stays_where_another_is_likely_the_same(stage):
    """Two small faces are alike; a search misses one of them."""
    both, one = [(0.0, 0.0), (200.0, 90.0)], [(200.0, 90.0)]
    stage.follow = lambda _, points: points
    seen, _, _ = _run(stage, [both[:1]] * 6 + [one] * 6, 1, LIKELY)
    assert all((0, 0, False) in frame.values() for frame in seen)


def test_another_person_in_a_followed_place_is_another_track(stage):
    """Where a policy keeps people, whoever comes to their place is another."""
    now = {"frame": -1}

    def likeness(track, _, __):
        is_guest = 11 <= now["frame"] < 15
        return OTHER if is_guest != (track.first in range(11, 15)) else CERTAIN

    class Watched(Stage):
        def boxes(self, image, is_full=True):
            now["frame"] += 1
            return super().boxes(image, is_full)

    seen, _, _ = _run(Watched(), [[(0.0, 0.0)]] * 20, 1, likeness, None, FPS, True)
    assert set(seen[10]).isdisjoint(seen[11])
    assert set(seen[11]) == set(seen[14])
    assert set(seen[15]).isdisjoint(seen[14])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_frame_that_shows_nothing_is_no_cut(stage, level):
    images = [WALL] * 6 + [np.full_like(WALL, level)] + [WALL] * 30
    script = [[(0.0, 0.0)]] * 3 + [[]] * 34
    seen, ended, _ = _run(stage, script, images=images)
    assert all(set(frame) == {0} for frame in seen)
    assert ended == []


def test_what_passes_by_does_not_uncover_a_lost_face(stage):
    rng = np.random.default_rng(4)
    pillar = rng.integers(0, 255, (240, 60, 3), np.uint8)
    wall = np.kron(rng.integers(60, 200, (60, 80, 1)), np.ones((4, 4, 3))).astype("u1")
    images = [wall] * 6
    for n in range(20):
        shown = wall.copy()
        left = 60 + 12 * n
        shown[:, left : left + 60] = pillar[:, : 320 - left]
        images.append(shown)
    tracker = Tracker(stage, 5, lambda *_: UNKNOWN)
    for number, image in enumerate(images):
        stage.places = [(100.0, 90.0)] if number < 6 else []
        (track,), _ = tracker.step(number, image, number / 30)
        boxes = [track.face.box_xyxy, track.stays]
        centre = np.array([125.0, 115.0])
        assert any(
            (box[:2] < centre).all() and (box[2:] > centre).all()
            for box in boxes
            if box is not None
        ), number


def test_another_scene_ends_all_tracks(stage):
    rng = np.random.default_rng(0)
    dark, light = (
        rng.integers(low, low + 60, (60, 80, 3), np.uint8) for low in (0, 180)
    )
    seen, ended, _ = _run(stage, [[(0.0, 0.0)]] * 10, images=[dark] * 5 + [light] * 5)
    assert [set(frame) for frame in seen] == [{0}] * 5 + [{1}] * 5
    assert ended == [0]


def test_a_flash_is_no_cut(stage):
    rng = np.random.default_rng(0)
    dark = rng.integers(0, 60, (60, 80, 3), np.uint8)
    images = [dark] * 7 + [dark + 180] + [dark] * 7
    script = [[(0.0, 0.0)]] * 7 + [[]] + [[(0.0, 0.0)]] * 7
    seen, ended, _ = _run(stage, script, search_every=50, images=images)
    assert [set(frame) for frame in seen] == [{0}] * 15
    assert ended == []


def test_a_followed_face_that_searches_never_see_is_only_carried(stage):
    stage.follow = lambda _, points: points
    script = [[(0.0, 0.0)]] * 5 + [[]] * 45
    seen, _, _ = _run(stage, script, search_every=1)
    assert [seen[n][0][2] for n in (10, 30, 44)] == [False, False, True]
    seen, _, _ = _run(Stage(), script, search_every=1, fps=1.0)
    assert seen[5 + MIN_UNSEEN][0][2]


def test_a_face_that_the_quick_search_does_not_see_is_searched_thoroughly(stage):
    stage.quick_sees, stage.has_points = False, False
    seen, _, _ = _run(stage, [[(4.0 * n, 0.0)] for n in range(26)])
    assert stage.thorough == 26
    assert all(set(frame) == {0} for frame in seen)


PLACE = st.tuples(st.integers(0, 250), st.integers(0, 180))


@settings(max_examples=60)
@given(
    script=st.lists(st.lists(PLACE, max_size=3), min_size=1, max_size=12),
    fps=st.sampled_from((1.0, 10.0, 30.0)),
    has_points=st.booleans(),
    follows=st.sampled_from(("truly", "anything", "nothing")),
    identity=st.sampled_from((CERTAIN, LIKELY, UNKNOWN, OTHER)),
)
def test_each_detection_of_each_frame_is_in_a_track(
    script, fps, has_points, follows, identity
):
    """Whatever is detected, followed and recognised."""
    stage = Stage()
    stage.has_points = has_points
    if follows != "truly":
        stage.follow = lambda _, points: points if follows == "anything" else None
    tracker = Tracker(stage, 5, lambda *_: identity)
    for number, places in enumerate(script):
        stage.places = [(float(x), float(y)) for x, y in places]
        tracks, _ = tracker.step(number, WALL, number / fps)
        for place in stage.places:
            centre = np.array(place) + 25
            assert any(
                (track.face.box_xyxy[:2] <= centre).all()
                and (track.face.box_xyxy[2:] >= centre).all()
                for track in tracks
            ), (number, place)
