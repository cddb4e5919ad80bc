"""People of a video's tracks: identity samples, decisions, trial crops."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.policy import Decision, is_clear
from anonygan_jax.anonymise.video.gaps import Seen
from anonygan_jax.composites.attributes import ATTRIBUTES
from anonygan_jax.faces.expression import OPEN
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.table import DLIB

# Frames from one descriptor of a track to the next; where the policy asks who it is.
SAMPLE_IDENTITY_EVERY, ASK_IDENTITY_EVERY = 20, 5
NUM_IDENTITY_SAMPLES = 3  # of a track; the policy's decisions go on after them
MIN_DECISIONS = 3  # of a track whose face is kept
NUM_TRIAL_CROPS = 2  # images of a track on which replacements are verified
TRIAL_MARGIN = 1.0  # of the box, around the face in such an image


@dataclasses.dataclass
class Person:
    """What is measured of a tracked face.

    Attributes:
      identity_samples: attributes and descriptors in some frames.
      trial_crops: images of the face, and the face in each.
      reference: the last such image, to tell whether another face is this person's.
      decisions: the policy's, one for each descriptor.
      last_sample: frame of the last sample.
      last_seen: frame, seconds and face, where it was detected or followed last.
      gap: frames since then in which the face is lost.
      stays: faces at the place before it was lost, in some of these frames.
      lost: first and last second of each stretch in which it was lost.
    """

    identity_samples: list[Source] = dataclasses.field(default_factory=list)
    trial_crops: list[tuple[np.ndarray, Face]] = dataclasses.field(default_factory=list)
    reference: tuple[np.ndarray, Face] | None = None
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
        is_enough = len(self.identity_samples) >= NUM_IDENTITY_SAMPLES
        if not anonymiser.needs_source or (is_enough and not needs_identity):
            return
        source = anonymiser.examine(image, face).source
        if source is None:
            return
        if is_clear(face, others):
            self.decisions.append(anonymiser.policy.of_person(source.descriptor))
        if not is_enough:
            self.identity_samples.append(source)
        if len(self.trial_crops) < NUM_TRIAL_CROPS:
            self.trial_crops.append(self.reference)

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

    def distance(self, describe: DlibDescriptor, descriptor: np.ndarray) -> float:
        """Returns the descriptor distance of another face; inf without a reference."""
        if self.identity_samples:
            own = self.identity_samples[-1].descriptor
        elif self.reference:
            image, face = self.reference
            own = describe(image, face.points_xy)
        else:
            return np.inf
        return float(np.linalg.norm(descriptor - own))

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


def _trial_crop(image: np.ndarray, face: Face) -> tuple[np.ndarray, Face]:
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
