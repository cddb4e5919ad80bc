"""Which faces are hidden: by reference photos of people, and by regions."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.references import (
    Descriptors,
    References,
    check_references,
    is_clear,
)
from anonygan_jax.anonymise.regions import HIDE, IGNORE, ONLY, Region
from anonygan_jax.faces.face import Face
from anonygan_jax.recognition.table import DLIB
from anonygan_jax.recognition.thresholds import (
    MAX_KEEP_DISTANCES,
    MIN_OTHER_DISTANCES,
    SAME_PERSON_DISTANCES,
)


@dataclasses.dataclass(frozen=True)
class Decision:
    """Whether a face is hidden.

    Attributes:
      hidden: whether it is.
      reason: why it is kept; None if it is hidden.
      reference_distance: dlib's, to the `keep` photo for which the face is kept; else
        to the nearest `only` photo, or `keep` photo if there are no `only` ones. None
        if none was compared.
      kept_person: number of the person to be kept whom that photo shows, if the face
        is kept for it; photos of one person have one number.
    """

    hidden: bool
    reason: str | None = None
    reference_distance: float | None = None
    kept_person: int | None = None


class Policy:
    """Decides which faces are hidden.

    In doubt a face is hidden: to be kept by `keep` each recogniser must see it nearer
    to a photo than its threshold by a margin, to be kept by `only` farther from all; it
    must be large enough to be recognised, and no other face may cover a part of it. A
    person is in an image once: of several faces that `keep` would keep for one person
    the nearest is kept.
    """

    def __init__(
        self,
        keep: References | None = None,
        only: References | None = None,
        regions: tuple[Region, ...] = (),
    ) -> None:
        """Takes the references.

        Args:
          keep: people whose faces are kept.
          only: the only people whose faces are hidden.

        Raises:
          PolicyError: a person is among both.
        """
        if keep and only:
            check_references(keep, only)
        self._keep, self._only = keep, only
        self._kept_people = keep.people() if keep else np.zeros(0, int)
        self.regions = regions

    @property
    def pixelates_regions(self) -> bool:
        """Whether a region is pixelated even if no face is detected."""
        return any(region.kind == HIDE for region in self.regions)

    def pixelate_regions(self, photo: np.ndarray) -> None:
        """Pixelates the regions to hide of uint8 [H, W, 3] in place."""
        for region in self.regions:
            if region.kind == HIDE:
                region.pixelate(photo)

    def check_regions(self, shape: tuple[int, ...]) -> None:
        """Accepts an image in which the regions are; see `Region.check_inside`."""
        for region in self.regions:
            region.check_inside(shape)

    @property
    def needs_identity(self) -> bool:
        """Whether descriptors are needed."""
        return self._keep is not None or self._only is not None

    def __call__(
        self, faces: list[Face], descriptors: list[Descriptors | None]
    ) -> list[Decision]:
        """Returns whether each face of an image is hidden.

        Args:
          descriptors: of each, see `of_person`.
        """
        decisions = []
        for number, (face, descriptor) in enumerate(
            zip(faces, descriptors, strict=True)
        ):
            others = faces[:number] + faces[number + 1 :]
            known = descriptor if is_clear(face, others) else None
            decisions.append(self.of_region(face) or self.of_person(known))
        return one_face_each(decisions)

    def of_region(self, face: Face) -> Decision | None:
        """Returns why a face is kept where it is; None if it is not."""
        only = [r for r in self.regions if r.kind == ONLY]
        if any(r.kind == IGNORE and r.contains(face) for r in self.regions):
            return Decision(False, "in a region to ignore")
        if only and not any(r.contains(face) for r in only):
            return Decision(False, "outside the regions to search")
        return None

    def of_person(self, descriptors: Descriptors | None) -> Decision:
        """Returns whether a person is hidden.

        Args:
          descriptors: float [D] by recogniser; None if there are none: references are
            not compared.
        """
        if descriptors is None or not self.needs_identity:
            return Decision(True)
        sought = self._only.distances(descriptors) if self._only else {}
        if self._keep:
            decision = self._kept(self._keep.distances(descriptors), sought)
            if not self._only or not decision.hidden:
                return decision
        least = float(sought[DLIB].min())
        if all(d.min() > MIN_OTHER_DISTANCES[name] for name, d in sought.items()):
            return Decision(False, "not who is to be hidden", least)
        return Decision(True, None, least)

    def _kept(
        self, kept: dict[str, np.ndarray], sought: dict[str, np.ndarray]
    ) -> Decision:
        """Whether a person at some distances is hidden, or kept by `keep`.

        Kept is who is near to one photo and not like who is sought, to each recogniser.
        """
        is_near = np.all([d < MAX_KEEP_DISTANCES[name] for name, d in kept.items()], 0)
        may_be_sought = any(
            d.min() < SAME_PERSON_DISTANCES[name] for name, d in sought.items()
        )
        if not is_near.any() or may_be_sought:
            return Decision(True, None, float(kept[DLIB].min()))
        nearest = int(np.where(is_near, kept[DLIB], np.inf).argmin())
        person, distance = self._kept_people[nearest], kept[DLIB][nearest]
        return Decision(False, "agreed to be seen", float(distance), int(person))


def one_face_each(decisions: list[Decision]) -> list[Decision]:
    """Returns the decisions on one image's faces, of which each person has one."""
    nearest: dict[int | None, float] = {}
    for decision in decisions:
        distance = decision.reference_distance or 0.0
        known = nearest.setdefault(decision.kept_person, distance)
        nearest[decision.kept_person] = min(known, distance)
    return [
        Decision(True, None, d.reference_distance)
        if d.kept_person is not None
        and (d.reference_distance or 0.0) > nearest[d.kept_person]
        else d
        for d in decisions
    ]
