"""Composites: faces of nobody, each a weighted sum of the portraits of many people."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from anonygan_jax.composites.donors import Donor, DonorError, Donors, Portrait
from anonygan_jax.composites.face_model import FaceModel
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.recognition.table import MOBILEFACENET, in_package
from anonygan_jax.recognition.thresholds import NEAREST_COMPOSITES, NEAREST_DONORS

MIN_DONORS = 5
MOST_DONORS = 30
MAX_WEIGHT = 0.3  # of one donor, above or below 0
DEVIATION = 0.7  # length of what is added to the weights of a mean
OTHER_ETHNICITY = 0.05  # relative probability of a donor of another one
AGE_SCALE = 8.0  # years; donors of larger differences are seldom taken
MAX_ATTEMPTS = 300  # for each composite
NUM_DRAWS = 12  # of which the most promising is made
SAME_FIRST = 10  # attempts with donors like one donor, so that no group is rare

Distances = dict[str, float]  # by recogniser


@dataclasses.dataclass(frozen=True)
class Composite:
    """A face of nobody.

    Attributes:
      donors: the people of whom it is a sum.
      weights: float64 [len(donors)], sums to 1; some are below 0.
      nearest_donor: distances to the nearest donor of the set, by recogniser.
      faces: portraits by expression.
    """

    donors: list[Donor]
    weights: np.ndarray
    nearest_donor: Distances
    faces: dict[str, Portrait]

    def shares(self) -> dict[str, float]:
        """Returns the weights by donor's name, to four digits."""
        names = (donor.name for donor in self.donors)
        pairs = zip(names, self.weights, strict=True)
        return {name: round(float(w), 4) for name, w in pairs}


class CompositeGenerator:
    """Generates composites of a set of donors."""

    def __init__(
        self, donors: Donors, min_donors: int = MIN_DONORS, seed: int = 0
    ) -> None:
        """Loads the recognisers.

        Args:
          min_donors: fewest donors of a composite.

        Raises:
          DonorError: there are fewer people than `min_donors`.
        """
        if len(donors.people) < min_donors:
            raise DonorError(
                f"usable portraits of {len(donors.people)} people, at least "
                f"{min_donors} are needed, so that nobody can be recognised"
            )
        self._detector, self._recognisers = DlibLandmarks(), in_package()
        self._donors = donors
        self._model = FaceModel(donors.people, donors.expressions)
        self._min_donors, self._rng = min_donors, np.random.default_rng(seed)
        portraits = [p for d in donors.people for p in d.portraits.values()]
        self._of_donors = _by_recogniser(portraits)

    def composites(self, count: int) -> Iterator[Composite]:
        """Yields composites that resemble no donor, nor each other.

        Raises:
          DonorError: too many composites resemble a donor or each other.
        """
        made: list[Portrait] = []
        for _ in range(count):
            composite = self._next(made)
            made += composite.faces.values()
            yield composite

    def _next(self, made: list[Portrait]) -> Composite:
        """The first of random composites that resembles no donor and none made."""
        for attempt in range(MAX_ATTEMPTS):
            if attempt % SAME_FIRST == 0:
                first = self._rng.integers(len(self._donors.people))
            composite = self._composite(int(first), made)
            if composite:
                return composite
        raise DonorError(
            f"{MAX_ATTEMPTS} composites resembled a donor or each other; more donors "
            "are needed"
        )

    def _composite(self, first: int, made: list[Portrait]) -> Composite | None:
        """A composite of random donors; None if it resembles a donor or one made.

        Also None where dlib detects no face in it.
        """
        people = self._donors.people
        others = _by_recogniser(made) if made else {}
        weights = max(
            (
                sample_weights(people, first, self._rng, self._min_donors)
                for _ in range(NUM_DRAWS)
            ),
            key=lambda drawn: self._foreseen_margin(drawn, others),
        )
        faces, nearest = {}, []
        for expression in self._donors.expressions:
            face = self._described(self._model.face(weights, expression))
            to_donor = _nearest(face, self._of_donors)
            to_other = _nearest(face, others)
            if any(to_donor[name] < NEAREST_DONORS[name] for name in to_donor):
                return None
            if any(to_other[name] < NEAREST_COMPOSITES[name] for name in to_other):
                return None
            faces[expression] = face
            nearest.append(to_donor)
        if not all(self._detector.detect_any(face.image) for face in faces.values()):
            return None
        used = np.flatnonzero(weights)
        least = {name: min(one[name] for one in nearest) for name in nearest[0]}
        return Composite([people[i] for i in used], weights[used], least, faces)

    def _foreseen_margin(
        self, weights: np.ndarray, others: dict[str, np.ndarray]
    ) -> float:
        """How far from donors and others a composite may be, beyond what is required.

        As if MobileFaceNet's descriptor of a weighted sum were that sum of descriptors:
        Spearman's correlation with the true distance to donors is 0.62 (N = 60).
        """
        first = self._donors.expressions[0]
        known = [
            donor.portraits[first].descriptors[MOBILEFACENET]
            for donor in self._donors.people
        ]
        foreseen = weights @ np.stack(known)
        foreseen /= np.linalg.norm(foreseen)
        limits = [(self._of_donors, NEAREST_DONORS), (others, NEAREST_COMPOSITES)]
        return min(
            np.linalg.norm(near[MOBILEFACENET] - foreseen, axis=1).min()
            - required[MOBILEFACENET]
            for near, required in limits
            if near
        )

    def _described(self, face: Portrait) -> Portrait:
        """A portrait with its descriptors."""
        points = face.points[:NUM_LANDMARKS]
        known = {
            n: describe(face.image, points) for n, describe in self._recognisers.items()
        }
        return dataclasses.replace(face, descriptors=known)


def sample_weights(
    donors: list[Donor],
    first: int,
    rng: np.random.Generator,
    min_donors: int = MIN_DONORS,
) -> np.ndarray:
    """Returns the weights of random donors of gender and age of the first.

    They are those of a mean, and random deviations from it: a mean alone would be
    everybody's likeness, and all means are alike.

    Returns:
      float64 [N], sums to 1; at least `min_donors` are not 0, each at most 0.3 above or
      below it.
    """
    near = np.array([_likelihood(donors[first], donor) for donor in donors])
    if np.count_nonzero(near) < min_donors:
        near = np.ones(len(donors))
    count = min(int(np.count_nonzero(near)), max(MOST_DONORS, min_donors))
    drawn = rng.choice(len(donors), count, replace=False, p=near / near.sum())
    mean = _at_most(max(MAX_WEIGHT / 2, 1 / count), near[drawn] / near[drawn].sum())
    deviations = rng.normal(size=count)
    deviations -= deviations.mean()
    deviations *= DEVIATION / np.linalg.norm(deviations)
    room = (MAX_WEIGHT - np.sign(deviations) * mean) / np.abs(deviations)
    weights = np.zeros(len(donors))
    weights[drawn] = mean + min(1.0, room.min()) * deviations
    return weights


def _at_most(most: float, weights: np.ndarray) -> np.ndarray:
    """Weights that sum to 1, made more even until none is above a limit."""
    even, largest = 1 / len(weights), weights.max()
    if largest <= most:
        return weights
    return even + (most - even) / (largest - even) * (weights - even)


def _likelihood(first: Donor, other: Donor) -> float:
    """Relative probability that a donor is taken beside another, 0 to 1."""
    if other.gender != first.gender:
        return 0.0
    same = 1.0 if other.ethnicity == first.ethnicity else OTHER_ETHNICITY
    if first.age is None or other.age is None:
        return same
    return same * float(np.exp(-abs(first.age - other.age) / AGE_SCALE))


def _by_recogniser(portraits: list[Portrait]) -> dict[str, np.ndarray]:
    """The descriptors of portraits, float32 [N, D]."""
    names = portraits[0].descriptors
    return {n: np.stack([p.descriptors[n] for p in portraits]) for n in names}


def _nearest(face: Portrait, others: dict[str, np.ndarray]) -> Distances:
    """The distances between a face and the nearest of others."""
    return {
        name: float(np.linalg.norm(known - face.descriptors[name], axis=1).min())
        for name, known in others.items()
    }
