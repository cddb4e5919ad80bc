"""People of a video's tracks: identity samples, decisions, trial crops."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.composites.attributes import ATTRIBUTES
from anonygan_jax.faces.expression import OPEN
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.thresholds import SAME_PERSON

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

    def sample(
        self, anonymiser: Anonymiser, number: int, image: np.ndarray, face: Face
    ) -> None:
        """Samples attributes, descriptor and decision in some frames."""
        if number - self.last_sample < SAMPLE_IDENTITY_EVERY:
            return
        is_enough = len(self.identity_samples) >= NUM_IDENTITY_SAMPLES
        if is_enough and not anonymiser.policy.needs_identity:
            return
        self.last_sample = number
        source = anonymiser.examine(image, face).source
        if source is None:
            return
        self.decisions.append(anonymiser.policy(face, source.descriptor))
        if not is_enough:
            self.identity_samples.append(source)
        if len(self.trial_crops) < NUM_TRIAL_CROPS:
            self.trial_crops.append(_trial_crop(image, face))

    def decision(self, anonymiser: Anonymiser, face: Face) -> Decision:
        """Returns whether a track is hidden: it is kept only if all decisions agree."""
        if not self.decisions:
            return anonymiser.policy(face, None)
        hidden = [d for d in self.decisions if d.hidden]
        return hidden[0] if hidden else self.decisions[0]

    def is_same(self, anonymiser: Anonymiser, image: np.ndarray, face: Face) -> bool:
        """Returns whether a face detected in place of a lost one is this person's."""
        if not (self.identity_samples and len(face.points_xy)):
            return not anonymiser.policy.needs_identity
        descriptor = anonymiser.describe(image, face.points_xy)
        apart = np.linalg.norm(descriptor - self.identity_samples[-1].descriptor)
        return bool(apart < SAME_PERSON)

    def source(self) -> Source:
        """Returns median attributes (of the widest mouth), and the mean descriptor."""
        samples = self.identity_samples
        attributes = np.median([sample.attributes for sample in samples], axis=0)
        openness = ATTRIBUTES.index("mouth_openness")
        widest = max(float(sample.attributes[openness]) for sample in samples)
        if widest >= OPEN:  # then a condition must show teeth
            attributes[openness] = widest
        descriptor = np.mean([sample.descriptor for sample in samples], axis=0)
        return Source(attributes.astype(np.float32), descriptor.astype(np.float32))


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
