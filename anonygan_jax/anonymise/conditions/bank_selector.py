"""Conditions selected from a bank: composites, or photos of a user."""

import pathlib

import numpy as np

from anonygan_jax.anonymise.conditions.selector import (
    AUTO_CONDITION,
    ConditionError,
    NoConditionError,
    SelectedCondition,
    Source,
    seeded_choice,
)
from anonygan_jax.anonymise.identity_check import IdentityCheck
from anonygan_jax.composites.attributes import (
    ATTRIBUTES,
    attribute_distance,
    attributes,
)
from anonygan_jax.composites.bank import BANK_FILE, Bank, embedded_bank, load_bank
from anonygan_jax.composites.donors import FACE_SIZE
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.faces import alignment
from anonygan_jax.faces.expression import OPEN, SHUT
from anonygan_jax.faces.face import main_face
from anonygan_jax.io import photos
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PICTURES
from anonygan_jax.methods.method import Conditions
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET
from anonygan_jax.recognition.thresholds import (
    MIN_CONDITION_DISTANCES,
    PREFERRED_DISTANCES,
)

NUM_BEST = 8  # people of the lowest costs, one of whom is drawn
# Costs, in units of `attributes.SCALES`.
GROUP_WEIGHT = 6.0  # of another group
SHUT_WEIGHT = 5.0  # of a shut mouth, which shows no teeth, where the source's is open
# Of each unit of descriptor distance below the preferred one.
NEARNESS_WEIGHTS = {DLIB: 60.0, MOBILEFACENET: 40.0}


class BankSelector:
    """Selects conditions from a bank; see `ConditionSelector`."""

    def __init__(self, bank: Bank, match_group: bool = True) -> None:
        self._bank = bank
        self._people = np.array(bank.people)
        self._demographics = bank.demographics if match_group else None

    def select(
        self,
        source: Source,
        seed: str,
        excluded: frozenset[str] = frozenset(),
        prefer_dissimilar: bool = False,
    ) -> SelectedCondition:
        """Returns the condition for a source.

        The cost of a person is that of their best face: differences in pose,
        expression, skin and apparent group, and nearness of the descriptors. One of the
        people of the lowest costs is drawn.

        Args:
          excluded: people who must not be used.
          prefer_dissimilar: whether a larger descriptor distance always costs less.

        Raises:
          NoConditionError: every person resembles the source or is excluded.
        """
        costs = self._costs(source, excluded, prefer_dissimilar)
        best: list[int] = []
        for number in np.argsort(costs, kind="stable"):
            if not np.isfinite(costs[number]) or len(best) == NUM_BEST:
                break
            if self._people[number] not in self._people[best]:
                best.append(int(number))
        if not best:
            raise NoConditionError("every condition resembles the source")
        return self._selected(seeded_choice(best, seed))

    def best_face_of(self, person: str, source: Source) -> SelectedCondition | None:
        """Returns a person's face of least cost; None if they resemble the source."""
        others = frozenset(self._bank.people) - {person}
        costs = self._costs(source, others)
        number = int(np.argmin(costs))
        return self._selected(number) if np.isfinite(costs[number]) else None

    def get(self, number: int) -> Conditions:
        """Returns one face as a batch."""
        return Conditions(
            self._bank.image(number)[None], self._bank.points_xy[[number]]
        )

    def _costs(
        self, source: Source, excluded: frozenset[str], prefer_dissimilar: bool = False
    ) -> np.ndarray:
        """Selection cost of each face, [F]; inf if it must not be used."""
        costs = attribute_distance(self._bank.attributes, source.attributes)
        openness = ATTRIBUTES.index("mouth_openness")
        if source.attributes[openness] >= OPEN:
            costs = costs + SHUT_WEIGHT * (self._bank.attributes[:, openness] <= SHUT)
        if self._demographics:
            guess = self._demographics.guess(source.descriptor)
            shared = np.minimum(self._bank.demographic_shares, guess).sum(-1)
            costs = costs + GROUP_WEIGHT * (1 - shared)
        usable = ~np.isin(self._people, list(excluded))
        for name, descriptor in source.descriptors.items():
            known = self._bank.descriptors[name]
            distances = np.linalg.norm(known - descriptor, axis=-1)
            nearness = PREFERRED_DISTANCES[name] - distances
            costs = costs + NEARNESS_WEIGHTS[name] * (
                nearness if prefer_dissimilar else nearness.clip(min=0)
            )
            usable &= distances >= MIN_CONDITION_DISTANCES[name]
        return np.where(usable, costs, np.inf)

    def _selected(self, number: int) -> SelectedCondition:
        """A face of the bank by its number."""
        return SelectedCondition(
            number, self._bank.people[number], self._bank.files[number]
        )


def load_conditions(
    conditions: str, detector: FaceDetector, check: IdentityCheck
) -> Bank:
    """Returns the bank that a user asked for.

    Args:
      conditions: "auto", a bank's folder, the path of a photo or of a folder of photos.

    Raises:
      BankError: the folder is a damaged bank.
      ConditionError: a photo shows no face, or the folder has neither bank nor photos.
      PhotoError: a photo cannot be read.
    """
    if conditions == AUTO_CONDITION:
        return load_bank(embedded_bank())
    path = pathlib.Path(conditions)
    if not path.is_dir():
        return bank_of_photos([path], detector, check)
    if (path / BANK_FILE).exists():
        return load_bank(path)
    files = [p.path for p in find_photos([path]) if p.kind in PICTURES]
    if not files:
        raise ConditionError(f"{conditions}: neither a bank nor a folder of photos")
    return bank_of_photos(files, detector, check)


def bank_of_photos(
    files: list[pathlib.Path], detector: FaceDetector, check: IdentityCheck
) -> Bank:
    """Returns a bank of the main face of each photo, each of another person.

    Raises:
      ConditionError: a photo shows no face.
      PhotoError: a photo cannot be read.
    """
    images, shapes, descriptors = [], [], []
    for file in files:
        image = photos.read_photo(file)
        faces = [face for face in detector(image) if len(face.points_xy)]
        if not faces:
            raise ConditionError(f"{file}: no face found in the condition photo")
        points = main_face(faces, image.shape).points_xy
        matrix = alignment.celeba_transform(points, FACE_SIZE)
        images.append(alignment.crop_photo(image, matrix, FACE_SIZE))
        shapes.append(alignment.transform_points(matrix, points))
        descriptors.append(check.describe(image, points))
    return Bank(
        attribution="",
        people=[file.stem for file in files],
        files=[file.name for file in files],
        points_xy=np.stack(shapes),
        attributes=np.stack(
            [attributes(*face) for face in zip(images, shapes, strict=True)]
        ),
        descriptors={
            name: np.stack([one[name] for one in descriptors])
            for name in descriptors[0]
        },
        demographic_shares=np.zeros((len(files), 0), np.float32),
        demographics=None,
        nearest_donor={},
        image=lambda number: images[number],
    )
