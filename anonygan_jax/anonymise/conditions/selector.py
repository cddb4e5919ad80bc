"""Whose face is put there: a given photo's, or the best fitting of a bank."""

import dataclasses
import hashlib
import pathlib
import threading
from typing import Protocol

import numpy as np

from anonygan_jax.composites.attributes import (
    ATTRIBUTES,
    attribute_distance,
    attributes,
)
from anonygan_jax.composites.bank import BANK_FILE, Bank, embedded_bank, load_bank
from anonygan_jax.detection import FaceDetector
from anonygan_jax.faces import alignment
from anonygan_jax.faces.expression import OPEN, SHUT
from anonygan_jax.faces.face import main_face
from anonygan_jax.io import photos
from anonygan_jax.methods import Faces, MethodError, NewFaces
from anonygan_jax.recognition.dlib import SAME_PERSON, DlibDescriptor

AUTO = "auto"
FRAME = (440, 360)  # height, width of a given photo's crop, as of the bank's
MIN_CONDITION_DISTANCE = (
    0.7  # descriptor distance; dlib takes 0.6 and less for one person
)
NUM_BEST = 8  # the condition is drawn among as many best fitting people
GROUP_WEIGHT = 6.0  # of a wrong group, in units of `attributes.SCALES`
SHUT_WEIGHT = 5.0  # of a shut mouth where the source's is open; it has no teeth to show
# Descriptor distance from which results seldom look like the source (1% of them; 10%
# at 0.8, measured on LFW), and the cost of each unit below it.
PREFERRED_DISTANCE, NEARNESS_WEIGHT = 0.85, 60.0


class ConditionError(ValueError):
    """A condition that can't be used."""


class NoConditionError(MethodError):
    """No condition may be used for a face."""


@dataclasses.dataclass(frozen=True)
class Source:
    """What the choice depends on.

    Attributes:
      traits: float32 [7], see `attributes.ATTRIBUTES`.
      descriptor: float32 [128], whom the source looks like.
    """

    attributes: np.ndarray
    descriptor: np.ndarray


@dataclasses.dataclass(frozen=True)
class SelectedCondition:
    """A face of the bank: its number, its person, its name."""

    number: int
    person: str
    name: str


def seeded_choice(numbers: list[int], seed: str) -> int:
    """Returns one of some numbers; the same seed draws the same of the same."""
    digest = hashlib.sha256(seed.encode()).digest()
    return numbers[int.from_bytes(digest[:8], "big") % len(numbers)]


class ConditionSelector(Protocol):
    """Chooses who is put where a source was."""

    def select(
        self,
        source: Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> SelectedCondition:
        """Returns somebody new; see `BankSelector.select`."""
        ...

    def best_face_of(self, person: str, source: Source) -> SelectedCondition | None:
        """Returns a person's best fitting face, or None."""
        ...

    def get(self, number: int) -> NewFaces:
        """Returns one face as a batch for the method."""
        ...


class BankSelector:
    """Chooses conditions from a bank."""

    def __init__(self, bank: Bank, match_group: bool = True) -> None:
        """Keeps the bank.

        Args:
          bank: with at least one face.
          match_group: prefer people of the source's apparent gender and age.
        """
        self._bank = bank
        self._people = np.array(bank.people)
        self._groups = bank.demographics if match_group else None

    def select(
        self,
        source: Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> SelectedCondition:
        """Returns the face to use for a source.

        People are ranked by the photo of theirs that is most alike in pose, expression,
        skin and apparent group, and yet of a person who looks different; those who
        resemble the source are passed over. One of the best few is drawn.

        Args:
          source: what the choice depends on.
          seed: of the draw; the same seed draws the same.
          excluded: people who must not be used.
          distinct: people who look different come first, however different.

        Raises:
          NoConditionError: nobody is left.
        """
        unlike = self._unlike(source, excluded, prefer_dissimilar)
        best: list[int] = []
        for number in np.argsort(unlike, kind="stable"):
            if not np.isfinite(unlike[number]) or len(best) == NUM_BEST:
                break
            if self._people[number] not in self._people[best]:
                best.append(int(number))
        if not best:
            raise NoConditionError("every condition resembles the source")
        return self._selected(seeded_choice(best, seed))

    def best_face_of(self, person: str, source: Source) -> SelectedCondition | None:
        """Returns a person's best fitting face, or None if they resemble the source."""
        others = frozenset(self._bank.people) - {person}
        unlike = self._unlike(source, others)
        number = int(np.argmin(unlike))
        return self._selected(number) if np.isfinite(unlike[number]) else None

    def _unlike(
        self, source: Source, excluded: frozenset[str], prefer_dissimilar: bool = False
    ) -> np.ndarray:
        """How little each face fits, [F]; infinite where it must not be used."""
        unlike = attribute_distance(self._bank.attributes, source.attributes)
        openness = ATTRIBUTES.index("mouth_openness")
        if source.attributes[openness] >= OPEN:
            unlike = unlike + SHUT_WEIGHT * (self._bank.attributes[:, openness] <= SHUT)
        if self._groups:
            guess = self._groups.guess(source.descriptor)
            shared = np.minimum(self._bank.demographic_shares, guess).sum(-1)
            unlike = unlike + GROUP_WEIGHT * (1 - shared)
        apart = np.linalg.norm(self._bank.descriptors - source.descriptor, axis=-1)
        near = PREFERRED_DISTANCE - apart
        unlike = unlike + NEARNESS_WEIGHT * (
            near if prefer_dissimilar else near.clip(min=0)
        )
        usable = (apart >= MIN_CONDITION_DISTANCE) & ~np.isin(
            self._people, list(excluded)
        )
        return np.where(usable, unlike, np.inf)

    def _selected(self, number: int) -> SelectedCondition:
        return SelectedCondition(
            number, self._bank.people[number], self._bank.files[number]
        )

    def get(self, number: int) -> Faces:
        """Returns one face as a batch."""
        image = self._bank.image(number)[None]
        mask = np.ones(image.shape[:3], np.float32)
        return Faces(image, self._bank.points_xy[[number]], mask)


class IdentityMemory:
    """Remembers whose face each person got, so that they keep it."""

    def __init__(self) -> None:
        self._descriptors: list[np.ndarray] = []
        self._given: list[str] = []
        self._lock = threading.Lock()

    def recall(self, descriptor: np.ndarray) -> str | None:
        """Returns the condition's person of the most alike source; None if unknown."""
        with self._lock:
            if not self._given:
                return None
            apart = np.linalg.norm(np.stack(self._descriptors) - descriptor, axis=-1)
            nearest = int(np.argmin(apart))
            return self._given[nearest] if apart[nearest] < SAME_PERSON else None

    def remember(self, descriptor: np.ndarray, person: str) -> None:
        """Notes whose face a source got."""
        with self._lock:
            self._descriptors.append(descriptor)
            self._given.append(person)


def load_conditions(
    condition: str, find: FaceDetector, describe: DlibDescriptor
) -> Bank:
    """Returns the bank that a user asked for.

    Args:
      condition: "auto", a bank's folder, the path of a photo, or of a folder of photos.
      find: finds the faces in photos.
      describe: tells whom a face looks like.

    Raises:
      BankError: the folder is a damaged bank.
      ConditionError: a photo shows no face.
      PhotoError: a photo cannot be read.
    """
    if condition == AUTO:
        return load_bank(embedded_bank())
    path = pathlib.Path(condition)
    if path.is_dir():
        if (path / BANK_FILE).exists():
            return load_bank(path)
        files = [p.path for p in photos.find_photos([path]) if p.has_photo_suffix]
        if not files:
            raise ConditionError(f"{condition}: neither a bank nor a folder of photos")
        return bank_of_photos(files, find, describe)
    return bank_of_photos([path], find, describe)


def bank_of_photos(
    files: list[pathlib.Path], find: FaceDetector, describe: DlibDescriptor
) -> Bank:
    """Returns the main face of each photo as a bank; a person each.

    Raises:
      ConditionError: a photo shows no face.
      PhotoError: a photo cannot be read.
    """
    crops_of, shapes, descriptors = [], [], []
    for file in files:
        image = photos.read_photo(file)
        faces = [face for face in find(image) if len(face.points_xy)]
        if not faces:
            raise ConditionError(f"{file}: no face found in the condition photo")
        points = main_face(faces, image.shape).points_xy
        matrix = alignment.celeba_transform(points, FRAME)
        crops_of.append(alignment.crop_photo(image, matrix, FRAME))
        shapes.append(alignment.transform_points(matrix, points))
        descriptors.append(describe(image, points))
    return Bank(
        attribution="",
        people=[file.stem for file in files],
        files=[file.name for file in files],
        points_xy=np.stack(shapes),
        attributes=np.stack(
            [attributes(*face) for face in zip(crops_of, shapes, strict=True)]
        ),
        descriptors=np.stack(descriptors),
        demographic_shares=np.zeros((len(files), 0), np.float32),
        demographics=None,
        nearest_donor={},
        image=lambda number: crops_of[number],
    )
