"""People of a video's tracks: identity samples, decisions, trial crops."""

import dataclasses
from collections.abc import Callable

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.crop import crop_face
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.identity_check import Distances
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.references import Descriptors, is_clear
from anonygan_jax.anonymise.replace import FaceReplacer
from anonygan_jax.anonymise.video.gaps import Seen
from anonygan_jax.composites.attributes import ATTRIBUTES
from anonygan_jax.faces.expression import OPEN
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.table import DLIB

# Frames from one descriptor of a track to the next; where the policy asks who it is.
SAMPLE_IDENTITY_EVERY, ASK_IDENTITY_EVERY = 20, 5
NUM_IDENTITY_SAMPLES = 3  # of a track; the policy's decisions go on after them
MIN_DECISIONS = 3  # of a track whose face is kept
NUM_TRIAL_CROPS = 2  # images of a track on which replacements are verified
TRIAL_MARGIN = 1.0  # of the box, around the face in such an image

View = tuple[np.ndarray, Face]  # an image of a face, and the face in it
Describe = Callable[[np.ndarray, np.ndarray], Descriptors]  # of image and landmarks


@dataclasses.dataclass
class Person:
    """What is measured of a tracked face.

    Attributes:
      identity_samples: attributes and descriptors in some frames; of frames in which
        the face can be replaced, if there are any.
      trial_crops: images in which the face can be replaced, and the face in each.
      reference: the image of the last sample, whether or not the face can be replaced
        in it; tells whether another face is this person's.
      decisions: the policy's, one for each descriptor.
      last_sample: frame of the last sample.
      last_seen: frame, seconds and face, where it was detected or followed last.
      gap: frames since then in which the face is lost.
      stays: faces at the place before it was lost, in some of these frames.
      lost: first and last second of each stretch in which it was lost.
    """

    identity_samples: list[Source] = dataclasses.field(default_factory=list)
    trial_crops: list[View] = dataclasses.field(default_factory=list)
    reference: View | None = None
    decisions: list[Decision] = dataclasses.field(default_factory=list)
    last_sample: int = -SAMPLE_IDENTITY_EVERY
    last_seen: Seen | None = None
    gap: list[Seen] = dataclasses.field(default_factory=list)
    stays: list[Seen] = dataclasses.field(default_factory=list)
    lost: list[tuple[float, float]] = dataclasses.field(default_factory=list)
    _last_lost: int = -1

    def sample(
        self,
        anonymiser: Anonymiser,
        number: int,
        image: np.ndarray,
        face: Face,
        others: list[Face],
    ) -> None:
        """Samples attributes, descriptor and decision in some frames.

        Args:
          others: the other faces of the frame.
        """
        needs_identity = anonymiser.policy.needs_identity
        every = ASK_IDENTITY_EVERY if needs_identity else SAMPLE_IDENTITY_EVERY
        if number - self.last_sample < every:
            return
        self.last_sample = number
        self.reference = _trial_crop(image, face)
        num_samples = len(self.identity_samples)
        is_enough = num_samples >= NUM_IDENTITY_SAMPLES and bool(self.trial_crops)
        if not anonymiser.needs_source or (is_enough and not needs_identity):
            return
        source = anonymiser.examine(image, face).source
        if source is None:
            return
        if is_clear(face, others):
            self.decisions.append(anonymiser.policy.of_person(source.descriptors))
        if not is_enough:
            self._add_sample(source, self.reference, anonymiser.replacer)

    def _add_sample(
        self, source: Source, view: View, replacer: FaceReplacer | None
    ) -> None:
        """Adds what is measured of a face in an image."""
        can_crop = replacer is None or _can_be_cropped(*view, replacer)
        if self.trial_crops and not can_crop:
            return
        if can_crop and not self.trial_crops:
            self.identity_samples.clear()  # what was measured of a profile
        if len(self.identity_samples) < NUM_IDENTITY_SAMPLES:
            self.identity_samples.append(source)
        if can_crop and len(self.trial_crops) < NUM_TRIAL_CROPS:
            self.trial_crops.append(view)

    def views(self) -> list[View]:
        """Returns trial crops; the last image if the face can be replaced in none."""
        return self.trial_crops or ([self.reference] if self.reference else [])

    def to_plan(self, is_replaced: bool) -> "Person":
        """Returns the person with the images that planning needs, and no others.

        Args:
          is_replaced: whether planning tries replacements.
        """
        crops = self.views() if is_replaced else []
        return dataclasses.replace(self, trial_crops=crops, reference=None)

    def decision(self) -> Decision:
        """Returns whether a person is hidden; kept only if several decisions agree."""
        hidden = [d for d in self.decisions if d.hidden]
        if hidden or len(self.decisions) < MIN_DECISIONS:
            return (hidden or [Decision(True)])[0]
        return min(self.decisions, key=lambda d: d.reference_distance or 0.0)

    def lose(self, frame: int, seconds: float) -> None:
        """Notes a frame in which the face is lost."""
        seconds = round(seconds, 3)
        if self.lost and self._last_lost == frame - 1:
            self.lost[-1] = self.lost[-1][0], seconds
        else:
            self.lost.append((seconds, seconds))
        self._last_lost = frame

    def distances(self, describe: Describe, descriptors: Descriptors) -> Distances:
        """Returns the distances of another face, by recogniser.

        Args:
          describe: a face's descriptors; asked for the reference without samples.
          descriptors: of the other face, by each recogniser that is to be asked.
        """
        own: Descriptors
        if self.identity_samples:
            own = self.identity_samples[-1].descriptors
        else:
            assert self.reference is not None
            image, face = self.reference
            own = describe(image, face.points_xy)
        return {n: float(np.linalg.norm(descriptors[n] - own[n])) for n in descriptors}

    def source(self) -> Source:
        """Returns median attributes (of the widest mouth), and mean descriptors."""
        samples = self.identity_samples
        attributes = np.median([sample.attributes for sample in samples], axis=0)
        openness = ATTRIBUTES.index("mouth_openness")
        widest = max(float(sample.attributes[openness]) for sample in samples)
        if widest >= OPEN:  # then a condition must show teeth
            attributes[openness] = widest
        descriptors = {
            name: np.mean([sample.descriptors[name] for sample in samples], axis=0)
            for name in samples[0].descriptors
        }
        for name in descriptors.keys() - {DLIB}:  # all but dlib's have length 1
            descriptors[name] /= np.linalg.norm(descriptors[name])
        return Source(attributes.astype(np.float32), descriptors)


def _can_be_cropped(image: np.ndarray, face: Face, replacer: FaceReplacer) -> bool:
    """Whether a face can be cropped for what replaces it: profiles cannot."""
    _, reason = try_face(
        lambda: crop_face(image, face, replacer.methods[0]).faces.check()
    )
    return reason is None


def _trial_crop(image: np.ndarray, face: Face) -> View:
    """A face with a margin, cut out of an image."""
    low, high = face.box_xyxy[:2], face.box_xyxy[2:]
    margin = TRIAL_MARGIN * (high - low)
    limit = np.array(image.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit - 1).astype(int)
    right, bottom = np.clip(high + margin, 1, limit).astype(int)
    shift = np.array([left, top], np.float32)
    moved = dataclasses.replace(
        face,
        points_xy=face.points_xy - shift,
        box_xyxy=face.box_xyxy - np.tile(shift, 2),
    )
    return image[top:bottom, left:right].copy(), moved
