"""Batches of pairs for training, as functions of the step."""

import dataclasses
import itertools
from typing import Any

import flax.struct
import numpy as np

from anonygan_jax.data.config import (
    OTHER_IDENTITY,
    SPOILED_SOURCE,
    DataConfig,
    PairConfig,
)
from anonygan_jax.data.dataset import FaceDataset, InMemoryFaceDataset
from anonygan_jax.data.pairs import PairIndices, PairSampler
from anonygan_jax.data.stores import open_store
from anonygan_jax.data.warped_conditions import (
    NOT_SPOILED,
    WarpPool,
    prepare_conditions,
)
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import NUM_LANDMARKS

Array = Any  # of numpy on the host, of JAX in a training step


@flax.struct.dataclass
class PairBatch:
    """Pairs of photos from the input pipeline.

    Attributes:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.
      is_supervised: bool [B], the reconstruction loss applies.
      condition_person: int32 [B], number of the condition's person; -1: of nobody.
      warped_condition: uint8 [B, H, W, 3], the source with the condition's face warped
        in; None where the network takes none.
      supervised_share: float32 [B], each the share of supervised pairs in the batch of
        which this is a part; None: this is the whole batch.
    """

    condition: Array
    source: Array
    condition_points_xy: Array
    source_points_xy: Array
    is_supervised: Array
    condition_person: Array | None = None
    warped_condition: Array | None = None
    supervised_share: Array | None = None


@flax.struct.dataclass
class BatchIndices:
    """A `PairBatch` with numbers of faces, int32 [B], in place of pictures."""

    condition: Array
    source: Array
    condition_points_xy: Array
    source_points_xy: Array
    is_supervised: Array
    condition_person: Array


class BatchLoader:
    """The batches of a run.

    Attributes:
      sampler: draws the pairs.
    """

    def __init__(
        self,
        config: DataConfig,
        pair_config: PairConfig,
        uses_warped_condition: bool = False,
        rows: slice = slice(None),
    ) -> None:
        """Opens the records.

        Args:
          config, pair_config: which photos, and how they are paired.
          uses_warped_condition: the batches have warped conditions.
          rows: of each batch that this process makes; other processes make the others.

        Raises:
          RecordsError, PackError: a directory holds no prepared faces.
          ValueError: there are too few faces for the pairs, the loader cannot warp
            conditions, or a pack has another size.
        """
        self._spoils = pair_config.supervised_condition == SPOILED_SOURCE
        if self._spoils and not uses_warped_condition:
            raise ValueError(
                f"pairs.supervised_condition is {SPOILED_SOURCE!r}, which needs "
                "model.uses_warped_condition"
            )
        if uses_warped_condition and config.loader == "device":
            raise ValueError(
                'data.loader is "device", but conditions are warped on the host; '
                'set it to "memory"'
            )
        self._config, self._pair_config, self._rows = config, pair_config, rows
        self._warp = None
        if uses_warped_condition:
            workers = config.num_workers
            if config.loader == "grain":
                workers = 0  # its processes make whole batches
            self._warp = WarpPool(workers) if workers else prepare_conditions
        composites = [config.composites] if config.composites else []
        stores = [open_store(name) for name in config.directories + composites]
        self._num_composites = len(stores[-1]) if config.composites else 0
        names, points = zip(*(store.labels() for store in stores), strict=True)
        self._identities = list(itertools.chain.from_iterable(names))
        sizes = [len(store) for store in stores]
        self._repeats = np.repeat([*config.repeats, 1][: len(stores)], sizes)
        decodes_once = config.loader in ("memory", "device")
        kind = InMemoryFaceDataset if decodes_once else FaceDataset
        self._faces = kind(stores, points, config.image_size, config.zoom)
        self.sampler = self._sampler(pair_config, config.batch_size)

    @property
    def loader(self) -> str:
        """How the faces get to the devices, see `DataConfig`."""
        return self._config.loader

    @property
    def num_workers(self) -> int:
        """How many processes make batches with the loader "grain"."""
        return self._config.num_batch_workers

    def batch(self, step: int) -> PairBatch:
        """Returns this process' rows of the batch of a step, as numpy arrays."""
        indices = self.indices_of(step)
        rng = np.random.default_rng([self._config.seed, 3, step])
        seeds = rng.integers(0, 2**62, self._config.batch_size)[self._rows]
        spoiled = indices.is_supervised & self._spoils
        return self._read(indices, np.where(spoiled, seeds, NOT_SPOILED))

    def indices_of(self, step: int) -> BatchIndices:
        """Returns this process' rows of the batch of a step, without pictures."""
        rng = np.random.default_rng([self._config.seed, 2, step])
        return self._choose(self.sampler.batch(step), rng, self._rows)

    def images(self) -> np.ndarray:
        """Returns all faces, uint8 [N, H, W, 3], in the order of their numbers."""
        return self._faces.read(np.arange(len(self._faces)))

    def different_identity_pairs(
        self, num_pairs: int, held_out: bool = False
    ) -> PairBatch:
        """Returns pairs of two people, to be looked at or measured.

        Args:
          num_pairs: how many.
          held_out: of the people that training does not use.

        Raises:
          ValueError: there are too few people.
        """
        config = dataclasses.replace(
            self._pair_config, supervised_share=0.0, other_condition=OTHER_IDENTITY
        )
        pairs = self._sampler(config, num_pairs, held_out).batch(0)
        seeds = np.full(num_pairs, NOT_SPOILED, np.int64)
        return self._read(self._choose(pairs, np.random.default_rng(0)), seeds)

    def _sampler(
        self, pair_config: PairConfig, batch_size: int, held_out: bool = False
    ) -> PairSampler:
        """Draws pairs of the records."""
        return PairSampler(
            self._identities,
            pair_config,
            batch_size,
            self._config.seed,
            self._faces.points_xy,
            self._num_composites,
            self._repeats,
            held_out,
        )

    def _choose(
        self, pairs: PairIndices, rng: np.random.Generator, rows: slice = slice(None)
    ) -> BatchIndices:
        """Some rows of the pairs; the landmarks of sources get noise."""
        points = self._faces.points_xy[pairs.source[rows]]
        if self._config.landmark_jitter:
            # Drawn for the whole batch: independent of the rows of this process.
            points = points + self._noise(len(pairs.source), rng)[rows]
        return BatchIndices(
            condition=pairs.condition[rows].astype(np.int32),
            source=pairs.source[rows].astype(np.int32),
            condition_points_xy=self._faces.points_xy[pairs.condition[rows]],
            source_points_xy=points,
            is_supervised=pairs.is_supervised[rows],
            condition_person=pairs.condition_person[rows],
        )

    def _read(self, indices: BatchIndices, seeds: np.ndarray) -> PairBatch:
        """A batch with its pictures; conditions with a seed are spoiled by it."""
        condition, source = map(self._faces.read, (indices.condition, indices.source))
        fields = vars(indices) | {"condition": condition, "source": source}
        if self._warp:
            points = indices.condition_points_xy
            spoiled, points, warped = self._warp(
                condition, points, source, indices.source_points_xy, seeds
            )
            fields |= {"condition": spoiled, "condition_points_xy": points}
            fields["warped_condition"] = warped
        return PairBatch(**fields)

    def _noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Noise of landmarks; the cube of a uniform share keeps most of it small."""
        config = self._config
        scale = config.image_size[0] * config.zoom / alignment.CELEBA_SIZE[0]
        share = rng.random((count, 1, 1)) ** 3
        deviation = config.landmark_jitter * scale
        noise = rng.normal(0, deviation, (count, NUM_LANDMARKS, 2))
        return (share * noise).astype(np.float32)
