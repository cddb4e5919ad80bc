"""Whether a face that is seen is that of a track's person."""

from collections.abc import Mapping

import numpy as np

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.references import Descriptors
from anonygan_jax.anonymise.video.person import Person
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.anonymise.video.tracking import CERTAIN, LIKELY, OTHER, UNKNOWN
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.table import DLIB
from anonygan_jax.recognition.thresholds import CERTAINLY_SAME, SAME_PERSON_DISTANCES

MIN_CERTAIN_SIDE = 40  # pixels of a box; descriptors of smaller faces are much alike


class PersonLikeness:
    """Compares by recognisers; see `tracking.Likeness`."""

    def __init__(self, anonymiser: Anonymiser, persons: Mapping[int, Person]) -> None:
        """Takes the persons of the open tracks, by number."""
        self._anonymiser, self._persons = anonymiser, persons
        self._described: tuple[Face, Descriptors] | None = None

    def __call__(self, track: Track, image: np.ndarray, face: Face) -> str:
        """Whether a face is that of a track's person; see `tracking.Likeness`."""
        person = self._persons[track.number]
        if not len(face.points_xy) or not person.reference:
            if not self._anonymiser.policy.needs_identity:
                return UNKNOWN
            # In doubt a face is not whose face may be kept.
            known = person.decisions
            may_be_kept = known and not any(decision.hidden for decision in known)
            return OTHER if len(face.points_xy) or may_be_kept else UNKNOWN
        try:
            if self._described is None or self._described[0] is not face:
                self._described = face, self._descriptors(image, face.points_xy)
            apart = person.distances(self._descriptors, self._described[1])
        except DegenerateFaceError:  # a recogniser cannot see who it is
            return OTHER
        if any(apart[name] >= SAME_PERSON_DISTANCES[name] for name in apart):
            return OTHER
        is_large = max(face.box_xyxy[2:] - face.box_xyxy[:2]) >= MIN_CERTAIN_SIDE
        return CERTAIN if is_large and apart[DLIB] < CERTAINLY_SAME else LIKELY

    def _descriptors(self, image: np.ndarray, points_xy: np.ndarray) -> Descriptors:
        """A face's descriptors: dlib's, or all where the policy asks who it is."""
        if self._anonymiser.policy.needs_identity:
            return self._anonymiser.check.describe(image, points_xy)
        return {DLIB: self._anonymiser.describe(image, points_xy)}
