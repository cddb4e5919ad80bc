"""Originals as an attacker has them: a gallery of known people, by one recogniser."""

import functools

import numpy as np
from scipy.spatial.distance import cdist

from anonygan_jax.evaluation.collect.pair_lists import other_photos, person
from anonygan_jax.evaluation.metrics.reidentification import (
    Embeddings,
    stranger_distances,
)

FARS = (1e-2, 1e-3, 1e-4)  # false accept rates
MIN_ACCEPTED = 10  # pairs of strangers below a threshold, else there is none
ROWS = 500  # probes of one matrix of distances
# By the probe: its name, and that of the photo with which it is compared, if any.
Values = dict[tuple[str, ...], float]


def far_text(far: float) -> str:
    """Returns a FAR as in keys, "1e-2" of 0.01."""
    return f"{far:.0e}".replace("e-0", "e-")


class Gallery:
    """Photos of known people.

    Attributes:
      embeddings: by name of the photo.
      names: of the photos, sorted.
      people: of each name.
    """

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings
        self.names = sorted(embeddings)
        self.people = np.array([person(name) for name in self.names])

    @functools.cached_property
    def thresholds(self) -> dict[float, float]:
        """Distances by FAR, of all pairs of photos of different people.

        A FAR that fewer than ten pairs would tell has none.
        """
        apart = stranger_distances(self.embeddings)
        told = [far for far in FARS if far * len(apart) >= MIN_ACCEPTED]
        return {far: float(np.quantile(apart, far)) for far in told}

    def rank_one(self, probes: Embeddings, with_own: bool) -> Values:
        """Returns 1 where the photo that is nearest to a probe shows its person, or 0.

        Args:
          probes: by names of photos.
          with_own: whether the photo with the probe's own name is in the gallery;
            without it, only probes whose person has another photo are asked.
        """
        tested = self._tested(probes, with_own)
        hits: Values = {}
        for start in range(0, len(tested), ROWS):
            names = tested[start : start + ROWS]
            apart = cdist(np.stack([probes[name] for name in names]), self._vectors)
            if not with_own:
                apart[self._is_own(names)] = np.inf
            nearest = self.people[apart.argmin(1)]
            hits |= {
                (n,): float(p == person(n)) for n, p in zip(names, nearest, strict=True)
            }
        return hits

    def chance(self, probes: Embeddings, with_own: bool) -> Values:
        """Returns the probability that a random photo shows a probe's person.

        Args:
          probes, with_own: as of `rank_one`.
        """
        people, counts = np.unique(self.people, return_counts=True)
        count = dict(zip(people.tolist(), counts.tolist(), strict=True))
        chances: Values = {}
        for name in self._tested(probes, with_own):
            own = int(not with_own and name in self.embeddings)
            same = count.get(person(name), 0) - own
            chances[(name,)] = same / (len(self.names) - own)
        return chances

    def _tested(self, probes: Embeddings, with_own: bool) -> list[str]:
        """Names of the probes that are asked."""
        if len(self.names) < 2:  # nobody to be taken for
            return []
        if with_own:
            return sorted(probes.keys() & self.embeddings.keys())
        return sorted(probes.keys() & other_photos(self.names).keys())

    @functools.cached_property
    def _vectors(self) -> np.ndarray:
        """float64 [G, D], of all photos."""
        return np.stack([self.embeddings[name] for name in self.names]).astype(float)

    def _is_own(self, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the photos with the probes' own names."""
        place = {name: column for column, name in enumerate(self.names)}
        found = [(row, place[n]) for row, n in enumerate(names) if n in place]
        rows, columns = zip(*found, strict=True) if found else ((), ())
        return np.array(rows, int), np.array(columns, int)
