"""The second pass, frame by frame, with a stand-in for what replaces and verifies."""

from types import SimpleNamespace

import numpy as np
import pytest

from anonygan_jax.anonymise.policy import Decision, Policy
from anonygan_jax.anonymise.results import TrackReport
from anonygan_jax.anonymise.video.detection_store import DETECTED, DetectionStore
from anonygan_jax.anonymise.video.planning import TrackPlan
from anonygan_jax.anonymise.video.progress import VERIFY_EVERY
from anonygan_jax.anonymise.video.render import NOT_CLEAR, Renderer
from anonygan_jax.faces.face import Face
from anonygan_jax.methods.method import MethodError

NOISE = np.random.default_rng(0).integers(0, 200, (120, 200, 3), np.uint8)
NEW = 255  # of a new face's pixels
METHOD = SimpleNamespace(name="warp")
HIDDEN, KEPT = Decision(True), Decision(False, "agreed to be seen", 0.3, 0)
Boxes = dict[int, tuple[int, int, int, int]]  # by track


class Replacer:
    """Puts white boxes in place of faces; stands for its check, too.

    Attributes:
      fails: a step that cannot be done in the first frame.
      asked: frames that were verified.
      seen: distances and floors of the frames that are verified, in order.
    """

    def __init__(self, fails: str = "") -> None:
        self.fails, self.frame = fails, 0
        self.asked: list[int] = []
        self.seen = [({"dlib": 1.0}, {"dlib": 0.5})] * 9

    @property
    def check(self) -> "Replacer":
        return self

    def _try(self, step: str) -> None:
        if step == self.fails and not self.frame:
            raise MethodError("a profile")

    def floors(self, *_):
        self._try("floors")
        return self.seen[len(self.asked)][1]

    def apply(self, photo, face, _):
        self._try("apply")
        left, top, right, bottom = face.box_xyxy.astype(int)
        photo[top:bottom, left:right] = NEW

    def distances(self, *_):
        self._try("distances")
        self.asked.append(self.frame)
        return self.seen[len(self.asked) - 1][0]


def _plan(decision: Decision) -> TrackPlan:
    condition = SimpleNamespace(name="0001.png")
    replacement = SimpleNamespace(
        condition=condition, method=METHOD, floors={"dlib": 9}
    )
    source = SimpleNamespace(descriptors={})
    return TrackPlan(0, 0, (0,) * 4, decision, replacement, source, (), None)


def _render(
    decisions: list[Decision], frames: list[Boxes], replacer: Replacer
) -> tuple[list[np.ndarray], tuple[TrackReport, ...]]:
    """The frames of tracks in which each has a box, rendered, and their reports."""
    store, points = DetectionStore(), np.ones((68, 2), np.float32)
    for number, boxes in enumerate(frames):
        for track, box in boxes.items():
            face = Face(points, np.array(box, np.float32), 0.9)
            store.add(number, number / 30, track, face, DETECTED)
    plans = {track: _plan(decision) for track, decision in enumerate(decisions)}
    renderer = Renderer(
        SimpleNamespace(policy=Policy(), replacer=replacer, methods=(METHOD,)),
        plans,
        store,
    )
    images = []
    for replacer.frame in range(len(frames)):
        images.append(renderer.render(NOISE))
    return images, renderer.reports()


@pytest.mark.parametrize("fails", ["floors", "apply", "distances"])
def test_after_a_frame_that_cannot_be_verified_the_next_is(fails):
    replacer = Replacer(fails)
    boxes = [{0: (20, 20, 80, 80)}] * (VERIFY_EVERY + 2)
    _, (report,) = _render([HIDDEN], boxes, replacer)
    assert replacer.asked == [1, 1 + VERIFY_EVERY]
    assert (report.num_pixelated, report.reason) == (1, "a profile")
    assert report.num_replaced == VERIFY_EVERY + 1


def test_floors_of_a_report_are_those_of_its_distances():
    replacer = Replacer()
    replacer.seen = [({"dlib": 0.9}, {"dlib": 0.5}), ({"dlib": 0.8}, {"dlib": 0.7})]
    boxes = [{0: (20, 20, 80, 80)}] * (VERIFY_EVERY + 1)
    _, (report,) = _render([HIDDEN], boxes, replacer)
    assert (report.distances, report.floors) == ({"dlib": 0.8}, {"dlib": 0.5})
    replacer = Replacer("floors")  # and nothing was verified
    _, (report,) = _render([HIDDEN], boxes[:1], replacer)
    assert (report.distances, report.floors) == (None, None)


@pytest.mark.parametrize(
    ("box", "other", "is_kept"),
    [
        ((20, 20, 51, 45), None, False),  # 31 pixels: too small to be recognised
        ((20, 20, 53, 45), None, True),
        ((20, 20, 80, 80), (70, 20, 130, 80), False),  # perhaps the other's face
        ((20, 20, 80, 80), (79, 20, 139, 80), True),
    ],
)
def test_a_kept_face_that_is_not_clear_is_hidden(box, other, is_kept):
    frame = {0: box} if other is None else {0: box, 1: other}
    (image,), reports = _render([KEPT, HIDDEN][: len(frame)], [frame], Replacer())
    left, top, right, bottom = box
    here = slice(top, bottom), slice(left, right - 15)  # where no other is
    assert (image[here] == NOISE[here]).all() == is_kept
    assert reports[0].status == ("kept" if is_kept else "pixelated")
    assert reports[0].reason == ("agreed to be seen" if is_kept else NOT_CLEAR)


@pytest.mark.parametrize("decisions", [[HIDDEN, KEPT], [KEPT, HIDDEN]])
def test_new_faces_are_not_covered_by_pixelated_ones(decisions):
    """Those come first, also where they are pixelated in this frame alone."""
    boxes = [(20, 20, 80, 80), (60, 20, 120, 80)]
    (image,), _ = _render(decisions, [dict(enumerate(boxes))], Replacer())
    left, top, right, bottom = boxes[decisions.index(HIDDEN)]
    assert (image[top:bottom, left:right] == NEW).all()
