"""The first pass over a video: where each face is, and how it is replaced."""

import dataclasses
from collections import defaultdict

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.replace import FaceReplacer, Replacement
from anonygan_jax.anonymise.results import NO_LANDMARKS
from anonygan_jax.anonymise.video.detection_store import (
    DETECTED,
    EXTENDED,
    INTERPOLATED,
    DetectionStore,
)
from anonygan_jax.anonymise.video.person import Person
from anonygan_jax.anonymise.video.tracking import Track, Tracker
from anonygan_jax.anonymise.video.transcode import FRAMES_AHEAD, Frame, Video
from anonygan_jax.detection.detector import Detection
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import prefetch_in_thread
from anonygan_jax.methods.method import MethodError

SEARCH_EVERY = 5  # frames
# Frames of a scene in which a face is hidden before its first and after its last
# detection, or as many as there are from one search to the next.
PADDING_FRAMES = 5
SECONDS_PER_FRAME = 1 / 30  # of padding frames, whose time is not known


@dataclasses.dataclass(frozen=True)
class TrackPlan:
    """What is to be done with a tracked face.

    Attributes:
      first, last: frames of the first and the last detection.
      box_xyxy: of the last detection, pixels.
      decision: whether the face is hidden.
      replacement: method and condition; None of an obfuscator.
      source: attributes and descriptor; None of an obfuscator.
      reason: why the face can only be pixelated; None if it can be replaced.
    """

    first: int
    last: int
    box_xyxy: tuple[int, ...]
    decision: Decision
    replacement: Replacement | None
    source: Source | None
    reason: str | None


class Analysis:
    """Faces of a video.

    Attributes:
      store: the faces of each frame.
      plans: what is to be done with each track.
      num_frames: of the video.
    """

    def __init__(
        self,
        anonymiser: Anonymiser,
        seed: str,
        search_every: int = SEARCH_EVERY,
        known: dict[int, list[Face]] | None = None,
    ) -> None:
        """Takes what analyses.

        Args:
          known: boxes of faces by frame, found by other means; None to search.
        """
        self._anonymiser, self._seed = anonymiser, seed
        self._num_padding = max(PADDING_FRAMES, search_every)
        detector = anonymiser.detector
        self._people: dict[int, Person] = defaultdict(Person)

        def is_same(track: Track, image: np.ndarray, face: Face) -> bool:
            return self._people[track.number].is_same(anonymiser, image, face)

        if known is None:
            self._tracker = Tracker(detector, search_every, is_same)
        else:
            boxes = {
                n: [Detection(f.box_xyxy, f.score) for f in known[n]] for n in known
            }
            self._tracker = Tracker(
                detector, 1, is_same, lambda number, _: boxes.get(number, [])
            )
        self.store = DetectionStore()
        self.plans: dict[int, TrackPlan] = {}
        self.num_frames = 0

    def run(self, video: Video) -> None:
        """Analyses all frames of a video.

        Raises:
          VideoError: it cannot be read.
        """
        for number, frame in enumerate(
            prefetch_in_thread(video.frames(), FRAMES_AHEAD)
        ):
            seen, ended = self._tracker.step(number, frame.image)
            is_cut = self._tracker.scene_start == number
            for track in ended:
                self._end(track, number if is_cut else None)
            for track in seen:
                self._note(track, number, frame)
            self.num_frames = number + 1
        for track in self._tracker.close():
            self._end(track)
        self.store.smooth()

    def _note(self, track: Track, number: int, frame: Frame) -> None:
        """Stores a detected face, and fills the gap since its last detection."""
        person = self._people[track.number]
        if person.last_seen is None:
            first = max(self._tracker.scene_start, number - self._num_padding)
            for early in range(first, number):
                seconds = frame.seconds - (number - early) * SECONDS_PER_FRAME
                self.store.add(early, seconds, track.number, track.face, EXTENDED)
        else:
            last, then, face = person.last_seen
            for n in range(last + 1, number):
                share = (n - last) / (number - last)
                seconds = then + share * (frame.seconds - then)
                between = _between(face, track.face, share)
                self.store.add(n, seconds, track.number, between, INTERPOLATED)
        self.store.add(number, frame.seconds, track.number, track.face, DETECTED)
        person.last_seen = number, frame.seconds, track.face
        if self._anonymiser.needs_source and len(track.face.points_xy):
            person.sample(self._anonymiser, number, frame.image, track.face)

    def _end(self, track: Track, scene_end: int | None = None) -> None:
        """Plans a track that has ended, and pads it until the end of its scene."""
        person = self._people.pop(track.number, None)
        if person is None or person.last_seen is None:
            return
        number, then, face = person.last_seen
        last = number + self._num_padding
        if scene_end is not None:
            last = min(last, scene_end - 1)
        for n in range(number + 1, last + 1):
            seconds = then + (n - number) * SECONDS_PER_FRAME
            self.store.add(n, seconds, track.number, face, EXTENDED)
        decision = person.decision(self._anonymiser, face)
        replacement = source = reason = None
        replacer = self._anonymiser.replacer
        if decision.hidden and replacer:
            made, reason = try_face(lambda: self._replacement(replacer, track, person))
            source, replacement = made or (None, None)
        self.plans[track.number] = TrackPlan(
            track.first,
            number,
            tuple(int(v) for v in face.box_xyxy),
            decision,
            replacement,
            source,
            reason,
        )

    def _replacement(
        self, replacer: FaceReplacer, track: Track, person: Person
    ) -> tuple[Source, Replacement]:
        """A track's source, and a replacement that passes on its trial crops."""
        if not person.identity_samples:
            raise MethodError(NO_LANDMARKS)
        source, seed = person.source(), f"{self._seed}#{track.number}"
        in_same_frame = {
            plan.replacement.condition.person
            for plan in self.plans.values()
            if plan.replacement
            if plan.last >= track.first and plan.first <= track.last
        }
        name = self._anonymiser.person_for(source, seed, in_same_frame)
        views = person.trial_crops
        replacement, _ = replacer.first_passing(views, source, name, seed)
        return source, replacement


def _between(a: Face, b: Face, share: float) -> Face:
    """A face interpolated between two detections."""
    box = a.box_xyxy + share * (b.box_xyxy - a.box_xyxy)
    points = a.points_xy
    if len(a.points_xy) and len(b.points_xy):
        points = a.points_xy + share * (b.points_xy - a.points_xy)
    elif len(b.points_xy):
        points = b.points_xy
    return Face(points.astype(np.float32), box.astype(np.float32), a.score)
