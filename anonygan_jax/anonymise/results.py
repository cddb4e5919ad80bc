"""A face on its way through: found, planned, reported."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.faces.face import Face

NO_LANDMARKS = "found, but without landmarks"
REPLACED, PIXELATED, KEPT = "replaced", "pixelated", "kept"


@dataclasses.dataclass(frozen=True)
class FoundFace:
    """A face and what must be known of it to hide it.

    Attributes:
      face: box, and landmarks if there are any.
      source: what the choice of a condition depends on, where one is needed.
      reason: why it can only be pixelated, if so.
    """

    face: Face
    source: Source | None = None
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done with a face.

    Attributes:
      found: the face.
      decision: whether it is hidden.
      person: whose face it gets; None for whoever fits.
      seed: of the choice.
    """

    found: FoundFace
    decision: Decision
    person: str | None
    seed: str


@dataclasses.dataclass(frozen=True)
class FaceReport:
    """What happened to one face.

    Attributes:
      verdict: REPLACED, hidden as asked; COVERED, pixelated instead; KEPT, left as it
        was.
      reason: why it was pixelated or kept; None where it was replaced.
      box_xyxy: where it is, pixels.
      condition: file name of the face put there, if one was.
      descriptor_distance: between source and result, where a condition was used; at
        most 0.6 would mean one person.
      reference_distance: to the nearest reference photo, where one was given.
      method: that replaced it, where one did.
    """

    status: str
    reason: str | None
    box_xyxy: tuple[int, ...]
    condition: str | None = None
    descriptor_distance: float | None = None
    reference_distance: float | None = None
    method: str | None = None


@dataclasses.dataclass(frozen=True)
class TrackReport(FaceReport):
    """What happened to one face of a video; distances are the least of all frames.

    Attributes:
      track: its number.
      first_frame, last_frame: in which it was seen.
      num_replaced, num_pixelated: frames.
    """

    track: int = 0
    first_frame: int = 0
    last_frame: int = 0
    num_replaced: int = 0
    num_pixelated: int = 0


@dataclasses.dataclass(frozen=True)
class AnonymisedPhoto:
    """An anonymised photo.

    Attributes:
      image: uint8 [H, W, 3] RGB.
      faces: what happened to each face.
    """

    image: np.ndarray
    faces: tuple[FaceReport, ...]
