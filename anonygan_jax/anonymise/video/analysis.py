"""The first pass over a video: who is where, and whose face each gets."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import SelectedCondition, Source
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.replace import Replacement
from anonygan_jax.anonymise.results import NO_LANDMARKS
from anonygan_jax.anonymise.video.detection_store import (
    DETECTED,
    EXTENDED,
    INTERPOLATED,
    DetectionStore,
)
from anonygan_jax.anonymise.video.tracking import Track, Tracker
from anonygan_jax.anonymise.video.transcode import Frame, Video
from anonygan_jax.composites.attributes import ATTRIBUTES
from anonygan_jax.detection import Detection
from anonygan_jax.faces.expression import OPEN
from anonygan_jax.faces.face import Face
from anonygan_jax.io.prefetch import in_thread
from anonygan_jax.methods import Method, MethodError
from anonygan_jax.recognition.dlib import SAME_PERSON

SEARCH_EVERY = 5  # frames
PADDING_FRAMES = (
    5  # frames hidden before a face is first seen, and after the last; or as many
)
# as there are from one search to the next. Never into another scene.
NUM_AHEAD = 8  # frames decoded before they are looked at
FRAME = 1 / 30  # seconds, roughly, where a frame's time is not known
SAMPLE_IDENTITY_EVERY = 20  # frames from one look at whom a face looks like to the next
NUM_IDENTITY_SAMPLES = 3  # of a track; while people are to be kept, there is no end
NUM_TRIAL_CROPS = 2  # pictures of a track on which a condition is tried
TRIAL_MARGIN = 1.0  # of the box, around a face in such a picture


@dataclasses.dataclass
class Person:
    """What is known of a tracked face besides where it is.

    Attributes:
      looks: what the choice of a condition depends on, as it was seen.
      trials: pictures of it, with the face in them.
      decisions: whether it is hidden, by each look.
      last_look: frame of the last of them.
      shown: frame, seconds and place in which it was seen last.
    """

    identity_samples: list[Source] = dataclasses.field(default_factory=list)
    trial_crops: list[tuple[np.ndarray, Face]] = dataclasses.field(default_factory=list)
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    last_look: int = -SAMPLE_IDENTITY_EVERY
    shown: tuple[int, float, Face] | None = None


@dataclasses.dataclass(frozen=True)
class TrackPlan:
    """What is to be done with a tracked face.

    Attributes:
      first, last: frames in which it was first and last seen.
      box_xyxy: where it was last.
      decision: whether it is hidden.
      drawn: how it is replaced, where a condition is used.
      source: what it looks like, where that is known.
      reason: why it can only be pixelated, if so.
    """

    first: int
    last: int
    box_xyxy: tuple[int, ...]
    decision: Decision
    replacement: Replacement | None
    source: Source | None
    reason: str | None


class Analysis:
    """Faces of a video: `store` has where they are, `plans` what is done with each."""

    def __init__(
        self,
        anonymiser: Anonymiser,
        seed: str,
        search_every: int = SEARCH_EVERY,
        known: dict[int, list[Face]] | None = None,
    ) -> None:
        """Keeps what decides.

        Args:
          anonymiser: finds, chooses, remembers people.
          seed: of the choice of conditions.
          search_every: frames from one search for faces to the next.
          known: boxes of faces by frame, found by other means; None to search.
        """
        self._anonymiser, self._seed = anonymiser, seed
        self._hold = max(PADDING_FRAMES, search_every)
        find = anonymiser.find_faces
        if known is None:
            self._tracker = Tracker(find, search_every, self._is_same)
        else:
            boxes = {
                n: [Detection(f.box_xyxy, f.score) for f in known[n]] for n in known
            }
            self._tracker = Tracker(
                find, 1, self._is_same, lambda number, _: boxes.get(number, [])
            )
        self._people: dict[int, Person] = {}
        self.store = DetectionStore()
        self.plans: dict[int, TrackPlan] = {}
        self.num_frames = 0

    def run(self, video: Video) -> None:
        """Looks at all frames of a video.

        Raises:
          VideoError: it cannot be read.
        """
        for number, frame in enumerate(in_thread(video.frames(), NUM_AHEAD)):
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
        """Keeps where a face is, and fills the gap since it was seen last."""
        person = self._people.setdefault(track.number, Person())
        if person.shown is None:
            first = max(self._tracker.scene_start, number - self._hold)
            for early in range(first, number):
                seconds = frame.seconds - (number - early) * FRAME
                self.store.add(early, seconds, track.number, track.face, EXTENDED)
        else:
            last, then, face = person.shown
            for n in range(last + 1, number):
                share = (n - last) / (number - last)
                seconds = then + share * (frame.seconds - then)
                between = _between(face, track.face, share)
                self.store.add(n, seconds, track.number, between, INTERPOLATED)
        self.store.add(number, frame.seconds, track.number, track.face, DETECTED)
        person.shown = number, frame.seconds, track.face
        if self._anonymiser.needs_source and len(track.face.points_xy):
            self._sample_identity(person, track, number, frame.image)

    def _sample_identity(
        self, person: Person, track: Track, number: int, image: np.ndarray
    ) -> None:
        """Looks whom a face looks like, now and then."""
        needs_identity = self._anonymiser.policy.needs_identity
        if number - person.last_look < SAMPLE_IDENTITY_EVERY:
            return
        if len(person.identity_samples) >= NUM_IDENTITY_SAMPLES and not needs_identity:
            return
        person.last_look = number
        found = self._anonymiser.look(image, track.face)
        if found.source is None:
            return
        policy = self._anonymiser.policy
        person.decisions.append(policy(track.face, found.source.descriptor))
        if len(person.identity_samples) < NUM_IDENTITY_SAMPLES:
            person.identity_samples.append(found.source)
        if len(person.trial_crops) < NUM_TRIAL_CROPS:
            person.trial_crops.append(_cut_out(image, track.face))

    def _end(self, track: Track, scene_end: int | None = None) -> None:
        """Decides about a track that is over, at the latest in a frame."""
        person = self._people.pop(track.number, None)
        if person is None or person.shown is None:
            return
        number, then, face = person.shown
        last = number + self._hold
        if scene_end is not None:
            last = min(last, scene_end - 1)
        for n in range(number + 1, last + 1):
            seconds = then + (n - number) * FRAME
            self.store.add(n, seconds, track.number, face, EXTENDED)
        decision = self._decision(face, person)
        replacement = source = reason = None
        if decision.hidden and self._anonymiser.replacer.method.uses_conditions:
            made, reason = try_face(lambda: self._choice(track, person))
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
        """Whether a track is hidden: it stays only if every look says so."""
        if not person.decisions:
            return self._anonymiser.policy(face, None)
        hidden = [d for d in person.decisions if d.hidden]
        return hidden[0] if hidden else person.decisions[0]

    def _choice(self, track: Track, person: Person) -> tuple[Source, Replacement]:
        """What a track looks like, and how its results do not, in trials."""
        if not person.identity_samples:
            raise MethodError(NO_LANDMARKS)
        source, seed = _middle(person.identity_samples), f"{self._seed}#{track.number}"
        in_same_frame = {
            plan.replacement.condition.person
            for plan in self.plans.values()
            if plan.replacement and plan.replacement.condition
            if plan.last >= track.first and plan.first <= track.last
        }
        name = self._anonymiser.person_for(source, seed, in_same_frame)

        replacer = self._anonymiser.replacer

        def trial(
            picture: np.ndarray, face: Face, method: Method, choice: SelectedCondition
        ) -> float:
            result = picture.copy()
            replacer.replace(
                result, replacer.crop(picture, face), method, choice.number
            )
            return replacer.distance(result, face, source.descriptor)

        def distance_with(method: Method, choice: SelectedCondition) -> float:
            return min(trial(*shown, method, choice) for shown in person.trial_crops)

        return source, replacer.first_passing(source, name, seed, distance_with)

    def _is_same(self, track: Track, image: np.ndarray, face: Face) -> bool:
        """Whether a face found in a lost one's place is the same person's."""
        person = self._people.get(track.number)
        if not (person and person.identity_samples and len(face.points_xy)):
            return not self._anonymiser.policy.needs_identity
        descriptor = self._anonymiser.describe(image, face.points_xy)
        apart = np.linalg.norm(descriptor - person.identity_samples[-1].descriptor)
        return bool(apart < SAME_PERSON)


def _middle(identity_samples: list[Source]) -> Source:
    """What a track looks like; with its mouth open if it ever is."""
    attributes = np.median([look.attributes for look in identity_samples], axis=0)
    openness = ATTRIBUTES.index("mouth_openness")
    widest = max(float(look.attributes[openness]) for look in identity_samples)
    if widest >= OPEN:  # a condition with teeth to show
        attributes[openness] = widest
    descriptor = np.mean([look.descriptor for look in identity_samples], axis=0)
    return Source(attributes.astype(np.float32), descriptor.astype(np.float32))


def _between(a: Face, b: Face, share: float) -> Face:
    """A face on its way from one place to another."""
    box = a.box_xyxy + share * (b.box_xyxy - a.box_xyxy)
    points = a.points_xy
    if len(a.points_xy) and len(b.points_xy):
        points = a.points_xy + share * (b.points_xy - a.points_xy)
    elif len(b.points_xy):
        points = b.points_xy
    return Face(points.astype(np.float32), box.astype(np.float32), a.score)


def _cut_out(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
    """A face with some of what is around it."""
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    margin = TRIAL_MARGIN * (high - low)
    limit = np.array(image.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit - 1).astype(int)
    right, bottom = np.clip(high + margin, 1, limit).astype(int)
    shift = np.array([left, top], np.float32)
    moved = Face(face.points_xy - shift, face.box_xyxy - np.tile(shift, 2), face.score)
    return image[top:bottom, left:right].copy(), moved
