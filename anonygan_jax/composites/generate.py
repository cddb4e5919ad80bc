"""Composites: weighted averages of the portraits of five people or more."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from anonygan_jax.composites.donors import CANVAS, Donor, DonorError, Donors, Portrait
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import delaunay
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.thresholds import NEAREST_DONOR

MIN_DONORS = 5
MORE_DONORS = 3  # above the fewest, at most
MAX_WEIGHT = 0.4  # of one donor
DIRICHLET = 2.0  # concentration parameter of the weights
SAME_GROUP = 0.7  # share of composites of one ethnicity, where there are enough
AGE_SCALE = 8.0  # years; donors of larger differences are seldom averaged
MAX_ATTEMPTS = 20  # for each composite


@dataclasses.dataclass(frozen=True)
class Composite:
    """A face of nobody.

    Attributes:
      donors: the people who are averaged.
      weights: float64 [len(donors)], sums to 1.
      nearest_donor: descriptor distance to the nearest donor of the set.
      faces: portraits by expression.
    """

    donors: list[Donor]
    weights: np.ndarray
    nearest_donor: float
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
        """Loads dlib's models.

        Args:
          min_donors: fewest donors of a composite.

        Raises:
          DonorError: there are fewer people than `min_donors`.
          LandmarksUnavailable: dlib or its models are missing.
        """
        if len(donors.people) < min_donors:
            raise DonorError(
                f"usable portraits of {len(donors.people)} people, at least "
                f"{min_donors} are needed, so that nobody can be recognised"
            )
        self._detector = DlibLandmarks()
        self._describe = DlibDescriptor()
        self._donors = donors
        self._min_donors, self._rng = min_donors, np.random.default_rng(seed)
        self._descriptors = np.stack(
            [p.descriptor for d in donors.people for p in d.portraits.values()]
        )

    def composites(self, count: int) -> Iterator[Composite]:
        """Yields composites that resemble no donor.

        Raises:
          DonorError: too many composites resemble a donor.
        """
        made = attempts = 0
        while made < count:
            attempts += 1
            if attempts > MAX_ATTEMPTS * (made + 1):
                raise DonorError(
                    f"{attempts - made} of {attempts} composites resembled a donor "
                    f"(distance under {NEAREST_DONOR}); more donors are needed"
                )
            composite = self._composite()
            if composite and composite.nearest_donor >= NEAREST_DONOR:
                made += 1
                yield composite

    def _composite(self) -> Composite | None:
        """A composite of random donors; None where dlib detects no face in it."""
        donors, weights = sample_donors(
            self._donors.people, self._rng, self._min_donors
        )
        averages, distances = {}, []
        for expression in self._donors.expressions:
            face = average([d.portraits[expression] for d in donors], weights)
            found = self._detector.detect_any(face.image)
            if not found:
                return None
            descriptor = self._describe(face.image, found[0].points_xy)
            averages[expression] = dataclasses.replace(face, descriptor=descriptor)
            apart = np.linalg.norm(self._descriptors - descriptor, axis=1)
            distances.append(float(apart.min()))
        return Composite(donors, weights, min(distances), averages)


def sample_donors(
    donors: list[Donor], rng: np.random.Generator, min_donors: int = MIN_DONORS
) -> tuple[list[Donor], np.ndarray]:
    """Returns donors of one gender and similar age, and their Dirichlet weights.

    Returns:
      n donors; float64 [n], sums to 1, each at most 0.4.
    """
    first = donors[rng.integers(len(donors))]
    pool = [d for d in donors if d.gender == first.gender]
    group = [d for d in pool if d.ethnicity == first.ethnicity]
    if len(group) >= min_donors and rng.random() < SAME_GROUP:
        pool = group
    if len(pool) < min_donors:
        pool = donors
    count = int(rng.integers(min_donors, min_donors + MORE_DONORS + 1))
    count = min(len(pool), count)
    near = np.array([_age_weight(first, donor) for donor in pool])
    numbers = rng.choice(len(pool), count, replace=False, p=near / near.sum())
    weights = rng.dirichlet(np.full(count, DIRICHLET))
    while weights.max() > MAX_WEIGHT:
        weights = rng.dirichlet(np.full(count, DIRICHLET))
    return [pool[i] for i in numbers], weights


def _age_weight(first: Donor, other: Donor) -> float:
    """Relative probability that two donors are averaged, by age; 1 without ages."""
    if first.age is None or other.age is None:
        return 1.0
    return float(np.exp(-abs(first.age - other.age) / AGE_SCALE))


def average(portraits: list[Portrait], weights: np.ndarray) -> Portrait:
    """Returns the weighted mean of portraits, warped to their weighted mean shape.

    Args:
      weights: float [n], sums to 1.

    Returns:
      A portrait without a descriptor.
    """
    points = sum(w * p.points for w, p in zip(weights, portraits, strict=True))
    image = np.zeros((*CANVAS, 3), np.float32)
    for weight, portrait in zip(weights, portraits, strict=True):
        image += weight * delaunay.warp_to_points(
            portrait.image.astype(np.float32), portrait.points, points
        )
    return Portrait(np.rint(image).astype(np.uint8), points, np.zeros(0))
