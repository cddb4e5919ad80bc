"""Pairs of condition and source, as a function of (seed, step)."""

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from anonygan_jax.data.config import (
    OTHER_IDENTITY,
    SAME_IDENTITY,
    SOURCE,
    SPOILED_SOURCE,
    PairConfig,
)
from anonygan_jax.faces.face import NUM_LANDMARKS


def is_held_out(identity: str, share: float) -> bool:
    """Returns whether a person is not used in training, by a hash of the name.

    The first 8 hexadecimal digits of the name's SHA-256, as a fraction of 16**8, are
    below `share`. It depends on the name alone: all data sets are split alike.

    Args:
      identity: the person's name.
      share: of the people, 0 to 1.
    """
    digits = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return int(digits, 16) < share * 16**8


@dataclasses.dataclass(frozen=True)
class PairIndices:
    """Pairs as record numbers.

    Attributes:
      condition, source: int64 [B], numbers of records.
      is_supervised: bool [B], the reconstruction loss applies.
      condition_person: int32 [B], number of the condition's person among those in the
        pairs; -1 for composites.
    """

    condition: np.ndarray
    source: np.ndarray
    is_supervised: np.ndarray
    condition_person: np.ndarray


class PairSampler:
    """Draws pairs; a batch depends on seed and step alone."""

    def __init__(
        self,
        identities: Sequence[str],
        config: PairConfig,
        batch_size: int,
        seed: int,
        points_xy: np.ndarray | None = None,
        num_composites: int = 0,
        repeats: np.ndarray | None = None,
        held_out: bool = False,
    ) -> None:
        """Groups the photos by person.

        Args:
          identities: the person's name of each record.
          config: how photos are paired.
          batch_size: pairs per step.
          seed: of the order and of the pairs.
          points_xy: float [N, 68, 2], landmarks of the records, aligned alike; needed
            where `num_candidates` is above 1.
          num_composites: this many of the last records are conditions only.
          repeats: int [N], how often an epoch shows each record; None for once.
          held_out: pair the people that training does not use, instead of the others.

        Raises:
          ValueError: too few people or photos are left for the pairs.
        """
        self._config, self._batch_size, self._seed = config, batch_size, seed
        if points_xy is None:
            points_xy = np.zeros((len(identities), NUM_LANDMARKS, 2))
            assert config.num_candidates == 1, "candidates need points"
        self._shapes = points_xy.reshape(len(points_xy), -1)
        num_photos = len(identities) - num_composites
        self._composites = np.arange(num_photos, len(identities))
        if config.composite_share and not num_composites:
            raise ValueError("composite_share is set, but there are no composites")
        names, owner, counts = np.unique(
            identities[:num_photos], return_inverse=True, return_counts=True
        )
        usable = _usable(names, counts, config, held_out)
        self._people = np.full(len(identities), -1, np.int32)
        self._people[:num_photos] = np.where(usable, usable.cumsum() - 1, -1)[owner]
        order = np.argsort(owner, kind="stable")
        self._records = order[usable[owner[order]]]
        # Of each record: the first record of its person, and how many there are.
        kept = counts[usable]
        self._count = np.repeat(kept, kept)
        self._start = np.repeat(np.cumsum(kept) - kept, kept)
        self._epoch = np.arange(len(self._records))
        if repeats is not None:
            self._epoch = np.repeat(self._epoch, repeats[self._records])

    @property
    def has_held_out(self) -> bool:
        """Whether the config holds out people."""
        return self._config.held_out_share > 0

    @property
    def num_people(self) -> int:
        """Number of people in the pairs."""
        return int(self._people.max()) + 1

    @property
    def num_photos(self) -> int:
        """Number of sources in an epoch."""
        return len(self._epoch)

    def batch(self, step: int) -> PairIndices:
        """Returns the pairs of a step, a function of seed and step."""
        rng = np.random.default_rng([self._seed, 1, step])
        source = self._sources(step)
        supervised = rng.random(self._batch_size) < self._config.supervised_share
        if self._config.supervised_condition == SAME_IDENTITY:
            supervised &= self._count[source] > 1
        same = self._same_identity(source, rng)
        drawn = {
            SOURCE: self._records[source],
            SPOILED_SOURCE: self._records[source],
            SAME_IDENTITY: self._records[same],
            OTHER_IDENTITY: self._other_identity(source, rng),
        }
        condition = np.where(
            supervised,
            drawn[self._config.supervised_condition],
            drawn[self._config.other_condition],
        )
        person = self._people[condition]
        return PairIndices(condition, self._records[source], supervised, person)

    def _sources(self, step: int) -> np.ndarray:
        """Each photo once, or `repeats` times, an epoch; each has its own order."""
        draws = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        epochs, places = np.divmod(draws, self.num_photos)
        source = np.empty(self._batch_size, np.int64)
        for number in np.unique(epochs):
            rng = np.random.default_rng([self._seed, 0, number])
            chosen = epochs == number
            source[chosen] = rng.permutation(self._epoch)[places[chosen]]
        return source

    def _same_identity(
        self, source: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Another photo of the person; the same photo where there is no other."""
        start, count = self._start[source], self._count[source]
        shift = 1 + rng.integers(0, np.maximum(count - 1, 1))
        return start + (source - start + shift) % count

    def _other_identity(
        self, source: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Records of other people or composites: the candidates nearest in shape."""
        start, count = self._start[source], self._count[source]
        shape = (self._config.num_candidates, len(source))
        shift = rng.integers(0, np.maximum(len(self._records) - count, 1), shape)
        candidates = self._records[(start + count + shift) % len(self._records)]
        if self._config.composite_share:
            composite = rng.random(len(source)) < self._config.composite_share
            drawn = rng.choice(self._composites, shape)
            candidates = np.where(composite, drawn, candidates)
        wanted = self._shapes[self._records[source]]
        distances = np.linalg.norm(self._shapes[candidates] - wanted, axis=-1)
        return np.take_along_axis(candidates, distances.argmin(0)[None], 0)[0]


def _usable(
    names: np.ndarray, counts: np.ndarray, config: PairConfig, held_out: bool
) -> np.ndarray:
    """Which people are in the pairs, bool [N]; refuses too few of them."""
    usable = counts >= config.min_photos_per_identity
    share = config.held_out_share
    usable &= np.array([is_held_out(name, share) == held_out for name in names])
    num_people = int(usable.sum())
    if num_people < (2 if config.other_condition == OTHER_IDENTITY else 1):
        raise ValueError(
            f"{num_people} of {len(names)} people have at least "
            f"{config.min_photos_per_identity} photos and are "
            f"{'' if held_out else 'not '}held out; too few to draw pairs"
        )
    return usable
