"""Which photo is the condition of which source, as a function of (seed, step)."""

import dataclasses
from collections.abc import Sequence

import numpy as np

SOURCE = "source"
SAME_IDENTITY = "same_identity"
OTHER_IDENTITY = "other_identity"


@dataclasses.dataclass(frozen=True)
class PairConfig:
    """Hybrid training.

    Attributes:
      supervised_share: probability that a pair is supervised (reconstruction applies).
      supervised_condition: condition of supervised pairs: "source", the same photo, or
        "same_identity", another photo of the person.
      other_condition: condition of the other pairs: "same_identity" or
        "other_identity", a photo of somebody else.
      min_photos_per_identity: people with fewer photos are not used.

    Source: paper section 3.4; the values of its release in configs/celeba.py.
    """

    supervised_share: float
    supervised_condition: str
    other_condition: str
    min_photos_per_identity: int

    def __post_init__(self) -> None:
        if not 0 <= self.supervised_share <= 1:
            raise ValueError(f"supervised_share is {self.supervised_share}, not 0 to 1")
        if self.supervised_condition not in (SOURCE, SAME_IDENTITY):
            raise ValueError(
                f"unknown supervised_condition {self.supervised_condition}"
            )
        if self.other_condition not in (SAME_IDENTITY, OTHER_IDENTITY):
            raise ValueError(f"unknown other_condition {self.other_condition}")
        conditions = (self.supervised_condition, self.other_condition)
        if SAME_IDENTITY in conditions and self.min_photos_per_identity < 2:
            raise ValueError(
                "pairs of two photos of one person need min_photos_per_identity >= 2, "
                f"it is {self.min_photos_per_identity}"
            )


@dataclasses.dataclass(frozen=True)
class PairIndices:
    """A batch as record numbers: int64 [B], int64 [B], bool [B]."""

    condition: np.ndarray
    source: np.ndarray
    same_identity: np.ndarray


class PairSampler:
    """Draws pairs; batch k is the same whenever and wherever it is drawn."""

    def __init__(
        self,
        identities: Sequence[str],
        config: PairConfig,
        batch_size: int,
        seed: int,
    ) -> None:
        """Groups the photos by person.

        Args:
          identities: whose photo each record is.
          config: what pairs to draw.
          batch_size: pairs per step.
          seed: of the order and of the draws.

        Raises:
          ValueError: too few people or photos are left for the pairs wanted.
        """
        self._config, self._batch_size, self._seed = config, batch_size, seed
        names, owner, counts = np.unique(
            identities, return_inverse=True, return_counts=True
        )
        order = np.argsort(owner, kind="stable")
        self._records = order[counts[owner[order]] >= config.min_photos_per_identity]
        kept = counts[counts >= config.min_photos_per_identity]
        if len(kept) == 0 or (
            config.other_condition == OTHER_IDENTITY and len(kept) < 2
        ):
            raise ValueError(
                f"{len(kept)} of {len(names)} people have at least "
                f"{config.min_photos_per_identity} photos; too few to draw pairs"
            )
        # For each kept photo: where its person's photos begin and how many there are.
        self._count = np.repeat(kept, kept)
        self._start = np.repeat(np.cumsum(kept) - kept, kept)

    @property
    def num_photos(self) -> int:
        """Photos of the people kept; a source is drawn once in as many draws."""
        return len(self._records)

    def batch(self, step: int) -> PairIndices:
        """Returns the pairs of a step."""
        rng = np.random.default_rng([self._seed, 1, step])
        source = self._sources(step)
        supervised = rng.random(self._batch_size) < self._config.supervised_share
        drawn = {
            SOURCE: source,
            SAME_IDENTITY: self._same_identity(source, rng),
            OTHER_IDENTITY: self._other_identity(source, rng),
        }
        condition = np.where(
            supervised,
            drawn[self._config.supervised_condition],
            drawn[self._config.other_condition],
        )
        return PairIndices(self._records[condition], self._records[source], supervised)

    def _sources(self, step: int) -> np.ndarray:
        """Every photo once in each pass, the passes shuffled differently."""
        draws = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        passes, places = np.divmod(draws, self.num_photos)
        source = np.empty(self._batch_size, np.int64)
        for number in np.unique(passes):
            rng = np.random.default_rng([self._seed, 0, number])
            chosen = passes == number
            source[chosen] = rng.permutation(self.num_photos)[places[chosen]]
        return source

    def _same_identity(
        self, source: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Another photo of the person; the same one where there is no other."""
        start, count = self._start[source], self._count[source]
        shift = 1 + rng.integers(0, np.maximum(count - 1, 1))
        return start + (source - start + shift) % count

    def _other_identity(
        self, source: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """A photo of anybody else."""
        start, count = self._start[source], self._count[source]
        shift = rng.integers(0, np.maximum(self.num_photos - count, 1))
        return (start + count + shift) % self.num_photos
