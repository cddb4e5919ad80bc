"""Which faces are hidden: by reference photos of people, and by regions."""

import dataclasses
import pathlib

import numpy as np
from scipy.sparse.csgraph import connected_components

from anonygan_jax.anonymise.fallback import pixelate_region
from anonygan_jax.detection.boxes import covered_share
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.faces.face import Face
from anonygan_jax.io.photos import read_photo
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.thresholds import (
    CERTAINLY_SAME,
    MAX_KEEP_DISTANCE,
    MIN_OTHER_DISTANCE,
    SAME_PERSON,
)

IGNORE, HIDE, ONLY = "ignore", "hide", "only"
# Pixels of a box's longer side. Of LFW's people dlib takes 0 of 220 for somebody else
# (above MIN_OTHER_DISTANCE) from here on, 3% of 215 at 18 pixels, 14% of 178 at 14.
MIN_SIDE = 32
MAX_OVERLAP = 0.05  # of the smaller box; else a descriptor may be of two faces


class PolicyError(ValueError):
    """A reference photo or region that cannot be used."""


@dataclasses.dataclass(frozen=True)
class Region:
    """A part of an image.

    Attributes:
      kind: IGNORE, faces in it are kept; ONLY, faces outside it are kept; HIDE, all of
        it is pixelated.
      box_xyxy: left, top, right, bottom in pixels.
    """

    kind: str
    box_xyxy: tuple[float, float, float, float]

    @classmethod
    def parse(cls, text: str) -> "Region":
        """Returns the region of "KIND:X,Y,WIDTH,HEIGHT"; KIND is "only" by default.

        Raises:
          PolicyError: the text has another form.
        """
        kind, _, numbers = text.rpartition(":")
        try:
            x, y, width, height = (float(part) for part in numbers.split(","))
        except ValueError:
            kind, x, y, width, height = "?", 0, 0, 0, 0
        is_box = np.isfinite([x, y, width, height]).all() and min(width, height) > 0
        if (kind or ONLY) not in (IGNORE, HIDE, ONLY) or not is_box:
            raise PolicyError(
                f"region {text!r}: wanted X,Y,WIDTH,HEIGHT in pixels, with ignore:, "
                "hide: or only: before it if you like"
            )
        return cls(kind or ONLY, (x, y, x + width, y + height))

    def contains(self, face: Face) -> bool:
        """Returns whether the centre of a face's box is in it."""
        x, y = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
        left, top, right, bottom = self.box_xyxy
        return bool(left <= x <= right and top <= y <= bottom)


@dataclasses.dataclass(frozen=True)
class Decision:
    """Whether a face is hidden.

    Attributes:
      hidden: whether it is.
      reason: why it is kept; None if it is hidden.
      reference_distance: descriptor distance to the nearest reference photo, if there
        are any.
      kept_person: number of the person to be kept whom that photo shows, if the face
        is kept for it; photos of one person have one number.
    """

    hidden: bool
    reason: str | None = None
    reference_distance: float | None = None
    kept_person: int | None = None


class Policy:
    """Decides which faces are hidden.

    In doubt a face is hidden: to be kept by `keep` it must be nearer than dlib's
    threshold by a margin, to be kept by `only` farther; it must be large enough to be
    recognised, and no other face may cover a part of it. A person is in an image once:
    of several faces that `keep` would keep for one person the nearest is kept.
    """

    def __init__(
        self,
        keep: np.ndarray | None = None,
        only: np.ndarray | None = None,
        regions: tuple[Region, ...] = (),
    ) -> None:
        """Takes the references.

        Args:
          keep: float [N, 128], descriptors of people whose faces are kept.
          only: float [N, 128], of the only people whose faces are hidden.

        Raises:
          PolicyError: a person is among both.
        """
        if keep is not None and only is not None:
            apart = np.linalg.norm(keep[:, None] - only, axis=-1)
            if apart.min() < CERTAINLY_SAME:
                first, second = np.argwhere(apart < CERTAINLY_SAME)[0] + 1
                raise PolicyError(
                    f"--keep photo {first} and --only photo {second} show one person: "
                    "is that face to be seen or to be hidden?"
                )
        self._keep, self._only = keep, only
        self._kept_people = _people(keep) if keep is not None else np.zeros(0, int)
        self.regions = regions

    @property
    def pixelates_regions(self) -> bool:
        """Whether a region is pixelated even if no face is detected."""
        return any(region.kind == HIDE for region in self.regions)

    def pixelate_regions(self, photo: np.ndarray) -> None:
        """Pixelates the regions to hide of uint8 [H, W, 3] in place."""
        for region in self.regions:
            if region.kind == HIDE:
                left, top, right, bottom = (max(0, round(v)) for v in region.box_xyxy)
                side = float(max(right - left, bottom - top))
                pixelate_region(photo[top:bottom, left:right], side)

    @property
    def needs_identity(self) -> bool:
        """Whether descriptors are needed."""
        return self._keep is not None or self._only is not None

    def __call__(
        self, faces: list[Face], descriptors: list[np.ndarray | None]
    ) -> list[Decision]:
        """Returns whether each face of an image is hidden.

        Args:
          descriptors: float [128] of each; None if there is none.
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

    def of_person(self, descriptor: np.ndarray | None) -> Decision:
        """Returns whether a person is hidden.

        Args:
          descriptor: float [128]; None if there is none: references are not compared.
        """
        if descriptor is None or not self.needs_identity:
            return Decision(True)
        kept, sought = (_distances(r, descriptor) for r in (self._keep, self._only))
        least = float(sought.min()) if len(sought) else np.inf
        is_other = least >= SAME_PERSON and least > kept.min(initial=np.inf)
        if len(kept) and kept.min() < MAX_KEEP_DISTANCE and is_other:
            person = int(self._kept_people[kept.argmin()])
            return Decision(False, "agreed to be seen", float(kept.min()), person)
        if len(sought) and sought.min() > MIN_OTHER_DISTANCE:
            return Decision(False, "not who is to be hidden", float(sought.min()))
        return Decision(True, None, float((sought if len(sought) else kept).min()))


def is_clear(face: Face, others: list[Face]) -> bool:
    """Returns whether a face can be recognised: it is large, and none covers it."""
    size = face.box_xyxy[2:] - face.box_xyxy[:2]
    shares = [covered_share(face.box_xyxy, other.box_xyxy) for other in others]
    return bool(size.max() >= MIN_SIDE) and max(shares, default=0) <= MAX_OVERLAP


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


def _distances(references: np.ndarray | None, descriptor: np.ndarray) -> np.ndarray:
    """Distances to the references [N, 128], float [N]."""
    if references is None:
        return np.zeros(0)
    return np.linalg.norm(references - descriptor, axis=-1)


def _people(references: np.ndarray) -> np.ndarray:
    """Numbers of the people of references [N, 128], int [N]."""
    distances = np.linalg.norm(references[:, None] - references, axis=-1)
    return connected_components(distances < MAX_KEEP_DISTANCE)[1]


def reference_descriptors(
    paths: tuple[str, ...], detector: FaceDetector, describe: DlibDescriptor
) -> np.ndarray | None:
    """Returns descriptors of reference photos, float32 [N, 128]; None without photos.

    Args:
      paths: photos of one face each.

    Raises:
      PolicyError: a photo shows no face with landmarks, or several faces.
      PhotoError: a photo cannot be read.
    """
    descriptors = []
    for path in paths:
        photo = read_photo(pathlib.Path(path))
        faces = detector(photo)
        if len(faces) != 1 or not len(faces[0].points_xy):
            raise PolicyError(
                f"{path}: {len(faces)} faces found in the reference photo, wanted one "
                "that is clearly seen; crop it"
            )
        if not is_clear(faces[0], []):
            raise PolicyError(
                f"{path}: the face is below {MIN_SIDE} pixels; take a larger photo"
            )
        descriptors.append(describe(photo, faces[0].points_xy))
    return np.stack(descriptors) if descriptors else None
