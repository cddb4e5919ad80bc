"""Which photo is the condition of which source, as a function of (seed, step)."""

import dataclasses
import hashlib
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
      min_photos_per_identity: people with fewer photos are not used. Of a single photo
        no supervised pair of two photos can be drawn: it gets the other condition.
      held_out_share: of the people, left for evaluation; see `is_held_out`.
      composite_share: of the conditions of other people, taken from the composites.
      num_candidates: the condition of another person is the one most alike in pose and
        expression of so many drawn.

    Source: paper section 3.4; the values of its release in configs/celeba.py.
    """

    supervised_share: float
    supervised_condition: str
    other_condition: str
    min_photos_per_identity: int
    held_out_share: float = 0.0
    composite_share: float = 0.0
    num_candidates: int = 1

    def __post_init__(self) -> None:
        for name in ("supervised_share", "held_out_share", "composite_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}, not 0 to 1")
        if self.num_candidates < 1:
            raise ValueError(f"num_candidates is {self.num_candidates}, at least 1")
        if self.supervised_condition not in (SOURCE, SAME_IDENTITY):
            raise ValueError(
                f"unknown supervised_condition {self.supervised_condition}"
            )
        if self.other_condition not in (SAME_IDENTITY, OTHER_IDENTITY):
            raise ValueError(f"unknown other_condition {self.other_condition}")
        if self.other_condition == SAME_IDENTITY and self.min_photos_per_identity < 2:
            raise ValueError(
                "pairs of two photos of one person need min_photos_per_identity >= 2, "
                f"it is {self.min_photos_per_identity}"
            )


def is_held_out(identity: str, share: float) -> bool:
    """Returns whether a person is kept from training, by a hash of the name.

    The first 8 hexadecimal digits of the name's SHA-256, as a fraction of 16**8, are
    below `share`: a property of the name alone, so any data set can be split alike.
    """
    digits = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return int(digits, 16) < share * 16**8


@dataclasses.dataclass(frozen=True)
class PairIndices:
    """A batch as record numbers: int64 [B], int64 [B], bool [B], int32 [B].

    The last numbers the condition's person among those paired; -1 for composites.
    """

    condition: np.ndarray
    source: np.ndarray
    is_supervised: np.ndarray
    condition_person: np.ndarray


class PairSampler:
    """Draws pairs; batch k is the same whenever and wherever it is drawn."""

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
          identities: whose photo each record is.
          config: what pairs to draw.
          batch_size: pairs per step.
          seed: of the order and of the draws.
          points_xy: float [N, 68, 2], landmarks of the records, framed alike; needed
            where there are candidates to choose from.
          num_composites: so many of the last records are conditions only.
          repeats: int [N], how often a pass shows each record; once without.
          held_out: pair the people that training never sees instead of the others.

        Raises:
          ValueError: too few people or photos are left for the pairs wanted.
        """
        self._config, self._batch_size, self._seed = config, batch_size, seed
        if points_xy is None:
            points_xy = np.zeros((len(identities), 68, 2))
            assert config.num_candidates == 1, "candidates need points"
        self._shapes = points_xy.reshape(len(points_xy), -1)
        num_photos = len(identities) - num_composites
        self._composites = np.arange(num_photos, len(identities))
        if config.composite_share and not num_composites:
            raise ValueError("composite_share is set, but there are no composites")
        names, owner, counts = np.unique(
            identities[:num_photos], return_inverse=True, return_counts=True
        )
        usable = counts >= config.min_photos_per_identity
        share = config.held_out_share
        usable &= np.array([is_held_out(n, share) == held_out for n in names])
        self._people = np.full(len(identities), -1, np.int32)
        self._people[:num_photos] = np.where(usable, usable.cumsum() - 1, -1)[owner]
        order = np.argsort(owner, kind="stable")
        self._records = order[usable[owner[order]]]
        kept = counts[usable]
        if len(kept) == 0 or (
            config.other_condition == OTHER_IDENTITY and len(kept) < 2
        ):
            raise ValueError(
                f"{len(kept)} of {len(names)} people have at least "
                f"{config.min_photos_per_identity} photos and are "
                f"{'' if held_out else 'not '}held out; too few to draw pairs"
            )
        # For each kept photo: where its person's photos begin and how many there are.
        self._count = np.repeat(kept, kept)
        self._start = np.repeat(np.cumsum(kept) - kept, kept)
        one_pass = np.arange(len(self._records))
        if repeats is not None:
            one_pass = np.repeat(one_pass, repeats[self._records])
        self._one_pass = one_pass

    @property
    def has_held_out(self) -> bool:
        """Whether people are kept from training."""
        return self._config.held_out_share > 0

    @property
    def num_people(self) -> int:
        """People that are paired."""
        return int(self._people.max()) + 1

    @property
    def num_photos(self) -> int:
        """Sources in a pass."""
        return len(self._one_pass)

    def batch(self, step: int) -> PairIndices:
        """Returns the pairs of a step."""
        rng = np.random.default_rng([self._seed, 1, step])
        source = self._sources(step)
        supervised = rng.random(self._batch_size) < self._config.supervised_share
        if self._config.supervised_condition == SAME_IDENTITY:
            supervised &= self._count[source] > 1
        same = self._same_identity(source, rng)
        drawn = {
            SOURCE: self._records[source],
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
        """Every photo once in each pass, the passes shuffled differently."""
        draws = np.arange(step * self._batch_size, (step + 1) * self._batch_size)
        passes, places = np.divmod(draws, self.num_photos)
        source = np.empty(self._batch_size, np.int64)
        for number in np.unique(passes):
            rng = np.random.default_rng([self._seed, 0, number])
            chosen = passes == number
            source[chosen] = rng.permutation(self._one_pass)[places[chosen]]
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
        """Records of anybody else, or of composites: the most alike of a few."""
        start, count = self._start[source], self._count[source]
        shape = (self._config.num_candidates, len(source))
        shift = rng.integers(0, np.maximum(len(self._records) - count, 1), shape)
        candidates = self._records[(start + count + shift) % len(self._records)]
        if self._config.composite_share:
            composite = rng.random(len(source)) < self._config.composite_share
            drawn = rng.choice(self._composites, shape)
            candidates = np.where(composite, drawn, candidates)
        wanted = self._shapes[self._records[source]]
        apart = np.linalg.norm(self._shapes[candidates] - wanted, axis=-1)
        return np.take_along_axis(candidates, apart.argmin(0)[None], 0)[0]
