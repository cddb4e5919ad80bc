"""What is found, planned and reported of each face."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.conditions.selector import SelectedCondition, Source
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.faces.face import Face

NO_LANDMARKS = "found, but without landmarks"
REPLACED, PIXELATED, KEPT = "replaced", "pixelated", "kept"


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """How a face is replaced best, tried and verified where it was found.

    Attributes:
      method: name of the method.
      condition, distances, floors: see `Replacement`.
    """

    method: str
    condition: SelectedCondition
    distances: dict[str, float]
    floors: dict[str, float]


@dataclasses.dataclass(frozen=True)
class FoundFace:
    """A detected face.

    Attributes:
      face: box, and landmarks if there are any.
      source: attributes and descriptor; None if they are not needed.
      reason: why the face can only be pixelated; None if it can be replaced.
      suggested: what fits best here; None if nothing is asked for, or nothing fits.
    """

    face: Face
    source: Source | None = None
    reason: str | None = None
    suggested: Suggestion | None = None


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to be done with a face.

    Attributes:
      found: the face.
      decision: whether it is hidden.
      person: whose face is put there; None for the selector's choice.
      seed: of the selection.
      avoided: people whose faces others in the image get.
    """

    found: FoundFace
    decision: Decision
    person: str | None
    seed: str
    avoided: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class FaceReport:
    """What was done with a face.

    Attributes:
      status: REPLACED, by the method; PIXELATED, because the method failed; KEPT,
        unchanged as the policy says.
      reason: why the face was pixelated or kept; None if it was replaced.
      box_xyxy: the detector's box, pixels.
      condition: file name of the condition, if one was used.
      distances: between source and result by each recogniser that was asked, if a
        condition was used.
      floors: between the source and itself under a black patch, likewise.
      reference_distance: see `Decision`.
      method: the method that replaced the face.
      page: of a photo with several pages; the first is 0.
    """

    status: str
    reason: str | None
    box_xyxy: tuple[int, ...]
    condition: str | None = None
    distances: dict[str, float] | None = None
    floors: dict[str, float] | None = None
    reference_distance: float | None = None
    method: str | None = None
    page: int | None = None


@dataclasses.dataclass(frozen=True)
class TrackReport(FaceReport):
    """What was done with a tracked face.

    Distances and floors are the least of the frames that were verified.

    Attributes:
      first_frame, last_frame: of the detections.
      num_replaced, num_pixelated, num_kept: frames.
      lost: first and last second of each stretch in which the face was not detected,
        and was pixelated where motion carried it.
    """

    track: int = 0
    first_frame: int = 0
    last_frame: int = 0
    num_replaced: int = 0
    num_pixelated: int = 0
    num_kept: int = 0
    lost: tuple[tuple[float, float], ...] = ()


@dataclasses.dataclass(frozen=True)
class AnonymisedPhoto:
    """An anonymised photo.

    Attributes:
      image: uint8 [H, W, 3] RGB.
      faces: what was done with each face.
    """

    image: np.ndarray
    faces: tuple[FaceReport, ...]


def joined(*notes: str) -> str:
    """Returns notes on a file as one."""
    return ", ".join(filter(None, notes))
