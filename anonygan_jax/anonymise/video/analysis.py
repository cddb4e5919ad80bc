"""The first pass over a video: where each face is, and how it is replaced."""

import dataclasses

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
from anonygan_jax.anonymise.video.tracking import Track, Tracker
from anonygan_jax.anonymise.video.transcode import FRAMES_AHEAD, Frame, Video
from anonygan_jax.composites.attributes import ATTRIBUTES
from anonygan_jax.detection import Detection
from anonygan_jax.faces.expression import OPEN
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import prefetch_in_thread
from anonygan_jax.methods import MethodError
from anonygan_jax.recognition.thresholds import SAME_PERSON

SEARCH_EVERY = 5  # frames
# Frames of a scene in which a face is hidden before its first and after its last
# detection, or as many as there are from one search to the next.
PADDING_FRAMES = 5
SECONDS_PER_FRAME = 1 / 30  # of padding frames, whose time is not known
SAMPLE_IDENTITY_EVERY = 20  # frames from one descriptor of a track to the next
NUM_IDENTITY_SAMPLES = 3  # of a track; the policy's decisions go on after them
NUM_TRIAL_CROPS = 2  # images of a track on which replacements are verified
TRIAL_MARGIN = 1.0  # of the box, around the face in such an image


@dataclasses.dataclass
class Person:
    """What is measured of a tracked face.

    Attributes:
      identity_samples: attributes and descriptors in some frames.
      trial_crops: images of the face, and the face in each.
      decisions: the policy's, one for each descriptor.
      last_sample: frame of the last descriptor.
      last_seen: frame, seconds and face of the last detection.
    """

    identity_samples: list[Source] = dataclasses.field(default_factory=list)
    trial_crops: list[tuple[np.ndarray, Face]] = dataclasses.field(default_factory=list)
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    last_sample: int = -SAMPLE_IDENTITY_EVERY
    last_seen: tuple[int, float, Face] | None = None


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
          anonymiser: detects faces, selects conditions, remembers people.
          seed: of the selection of conditions.
          search_every: frames from one search for faces to the next.
          known: boxes of faces by frame, found by other means; None to search.
        """
        self._anonymiser, self._seed = anonymiser, seed
        self._num_padding = max(PADDING_FRAMES, search_every)
        detector = anonymiser.detector
        if known is None:
            self._tracker = Tracker(detector, search_every, self._is_same)
        else:
            boxes = {
                n: [Detection(f.box_xyxy, f.score) for f in known[n]] for n in known
            }
            self._tracker = Tracker(
                detector, 1, self._is_same, lambda number, _: boxes.get(number, [])
            )
        self._people: dict[int, Person] = {}
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
        person = self._people.setdefault(track.number, Person())
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
            self._sample_identity(person, track, number, frame.image)

    def _sample_identity(
        self, person: Person, track: Track, number: int, image: np.ndarray
    ) -> None:
        """Samples attributes, descriptor and decision in some frames."""
        needs_identity = self._anonymiser.policy.needs_identity
        if number - person.last_sample < SAMPLE_IDENTITY_EVERY:
            return
        if len(person.identity_samples) >= NUM_IDENTITY_SAMPLES and not needs_identity:
            return
        person.last_sample = number
        found = self._anonymiser.examine(image, track.face)
        if found.source is None:
            return
        policy = self._anonymiser.policy
        person.decisions.append(policy(track.face, found.source.descriptor))
        if len(person.identity_samples) < NUM_IDENTITY_SAMPLES:
            person.identity_samples.append(found.source)
        if len(person.trial_crops) < NUM_TRIAL_CROPS:
            person.trial_crops.append(_trial_crop(image, track.face))

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
        decision = self._decision(face, person)
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

    def _decision(self, face: Face, person: Person) -> Decision:
        """Whether a track is hidden: it is kept only if all decisions agree."""
        if not person.decisions:
            return self._anonymiser.policy(face, None)
        hidden = [d for d in person.decisions if d.hidden]
        return hidden[0] if hidden else person.decisions[0]

    def _replacement(
        self, replacer: FaceReplacer, track: Track, person: Person
    ) -> tuple[Source, Replacement]:
        """A track's source, and a replacement that passes on its trial crops."""
        if not person.identity_samples:
            raise MethodError(NO_LANDMARKS)
        source, seed = _middle(person.identity_samples), f"{self._seed}#{track.number}"
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

    def _is_same(self, track: Track, image: np.ndarray, face: Face) -> bool:
        """Whether a face detected in place of a lost one is the same person's."""
        person = self._people.get(track.number)
        if not (person and person.identity_samples and len(face.points_xy)):
            return not self._anonymiser.policy.needs_identity
        descriptor = self._anonymiser.describe(image, face.points_xy)
        apart = np.linalg.norm(descriptor - person.identity_samples[-1].descriptor)
        return bool(apart < SAME_PERSON)


def _middle(identity_samples: list[Source]) -> Source:
    """Median attributes, mean descriptor; an open mouth if it is open in any sample."""
    attributes = np.median([sample.attributes for sample in identity_samples], axis=0)
    openness = ATTRIBUTES.index("mouth_openness")
    widest = max(float(sample.attributes[openness]) for sample in identity_samples)
    if widest >= OPEN:  # then a condition must show teeth
        attributes[openness] = widest
    descriptor = np.mean([sample.descriptor for sample in identity_samples], axis=0)
    return Source(attributes.astype(np.float32), descriptor.astype(np.float32))


def _between(a: Face, b: Face, share: float) -> Face:
    """A face interpolated between two detections."""
    box = a.box_xyxy + share * (b.box_xyxy - a.box_xyxy)
    points = a.points_xy
    if len(a.points_xy) and len(b.points_xy):
        points = a.points_xy + share * (b.points_xy - a.points_xy)
    elif len(b.points_xy):
        points = b.points_xy
    return Face(points.astype(np.float32), box.astype(np.float32), a.score)


def _trial_crop(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """A face with a margin, cut out of an image."""
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    margin = TRIAL_MARGIN * (high - low)
    limit = np.array(image.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit - 1).astype(int)
    right, bottom = np.clip(high + margin, 1, limit).astype(int)
    shift = np.array([left, top], np.float32)
    moved = Face(face.points_xy - shift, face.box_xyxy - np.tile(shift, 2), face.score)
    return image[top:bottom, left:right].copy(), moved
