"""Batches of pairs for training, from memory or through tf.data."""

import concurrent.futures
import dataclasses
from collections.abc import Iterator
from typing import Any

import flax.struct
import jax
import numpy as np

from anonygan_jax.data import crops
from anonygan_jax.data.ahead import in_order
from anonygan_jax.data.faces import Faces, FacesInMemory
from anonygan_jax.data.landmarks import NUM_LANDMARKS
from anonygan_jax.data.pairs import (
    OTHER_IDENTITY,
    PairConfig,
    PairIndices,
    PairSampler,
)
from anonygan_jax.data.priors import draw_priors
from anonygan_jax.data.records import FaceRecords

LOADERS = ("memory", "tf_data")
NUM_AHEAD = 2  # batches made while the training step runs


@flax.struct.dataclass
class PairBatch:
    """Pairs of photos as they leave the input pipeline.

    Attributes:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.
      same_identity: bool [B], the reconstruction loss applies.
      prior: uint8 [B, H, W, 3], the source with the condition's face warped into it, or
        None where the network wants none.
    """

    condition: jax.Array
    source: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    same_identity: jax.Array
    prior: jax.Array | None = None


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What is trained on.

    Attributes:
      directory: folder made by `anonygan prepare`, or "embedded"; several, with commas.
      image_size: (height, width) of the training pictures.
      batch_size: pairs per step.
      loader: "memory" decodes everything once and needs no TensorFlow; "tf_data" reads
        while training, for sets larger than memory.
      seed: of the order and the pairs.
      repeats: how often a pass shows the photos of each directory.
      composites: one more directory, whose faces are conditions only; "" for none.
      zoom: see `crops.window_transform`.
      landmark_jitter: pixels of CelebA's frame; the landmarks of each source are moved
        by normal noise, whose deviation is this much at most, mostly far less.
    """

    directory: str
    image_size: tuple[int, int]
    batch_size: int
    loader: str
    seed: int
    repeats: tuple[int, ...] = (1,)
    composites: str = ""
    zoom: float = 1.0
    landmark_jitter: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))
        if self.loader not in LOADERS:
            raise ValueError(f"loader is {self.loader!r}, wanted one of {LOADERS}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}, wanted at least 1")
        if len(self.directories) != len(self.repeats):
            raise ValueError(
                f"{len(self.directories)} directories, but repeats for "
                f"{len(self.repeats)}"
            )

    @property
    def directories(self) -> list[str]:
        """The folders of sources."""
        return self.directory.split(",")


class Batches:
    """The batches of a run."""

    def __init__(
        self,
        config: DataConfig,
        pair_config: PairConfig,
        with_prior: bool = False,
        rows: slice = slice(None),
    ) -> None:
        """Opens the records.

        Args:
          config: what is trained on.
          pair_config: how it is paired.
          with_prior: the batches have priors.
          rows: of each batch that are made here; other processes make the others.

        Raises:
          RecordsError: a directory holds no prepared faces.
          ValueError: they hold too few for the pairs wanted.
        """
        self._config, self._pair_config = config, pair_config
        self._with_prior, self._rows = with_prior, rows
        folders = config.directories + (
            [config.composites] if config.composites else []
        )
        records = [FaceRecords(folder) for folder in folders]
        self._num_composites = len(records[-1]) if config.composites else 0
        labels = [r.labels() for r in records]
        self._identities = [name for names, _ in labels for name in names]
        self._points = np.concatenate([points for _, points in labels])
        self._repeats = np.repeat(
            [*config.repeats, 1][: len(records)], [len(r) for r in records]
        )
        self.sampler = self._sampler(pair_config, config.batch_size)
        in_memory = config.loader == "memory"
        kind = FacesInMemory if in_memory else Faces
        self._faces = kind(records, config.image_size, config.zoom)

    def _sampler(
        self, pair_config: PairConfig, batch_size: int, held_out: bool = False
    ) -> PairSampler:
        """Pairs of so many in a batch."""
        return PairSampler(
            self._identities,
            pair_config,
            batch_size,
            self._config.seed,
            self._points,
            self._num_composites,
            self._repeats,
            held_out,
        )

    def batch(self, step: int) -> PairBatch:
        """Returns this process' rows of the batch of a step, as numpy arrays."""
        rng = np.random.default_rng([self._config.seed, 2, step])
        return self._make(self.sampler.batch(step), rng, self._rows)

    def strangers(self, num_pairs: int, held_out: bool = False) -> PairBatch:
        """Returns pairs of different people, to look at.

        Args:
          num_pairs: how many.
          held_out: of those that training never sees.

        Raises:
          ValueError: there are too few people.
        """
        config = dataclasses.replace(
            self._pair_config, supervised_share=0.0, other_condition=OTHER_IDENTITY
        )
        pairs = self._sampler(config, num_pairs, held_out).batch(0)
        return self._make(pairs, np.random.default_rng(0))

    def _make(
        self,
        pairs: PairIndices,
        rng: np.random.Generator,
        rows: slice = slice(None),
    ) -> PairBatch:
        """Some rows of the batch of the pairs."""
        condition, condition_points = self._faces.read(pairs.condition[rows])
        source, source_points = self._faces.read(pairs.source[rows])
        if self._config.landmark_jitter:
            # Drawn for the whole batch: the same whoever makes which rows.
            source_points = source_points + self._noise(len(pairs.source), rng)[rows]
        fields: dict[str, Any] = {
            "condition": condition,
            "source": source,
            "condition_points_xy": condition_points,
            "source_points_xy": source_points,
            "same_identity": pairs.same_identity[rows],
        }
        if self._with_prior:
            fields["prior"] = draw_priors(
                condition, condition_points, source, source_points
            )
        return PairBatch(**fields)

    def _noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Noise of points; the cube of its share keeps most of it small."""
        scale = self._config.image_size[0] * self._config.zoom / crops.CELEBA_SIZE[0]
        share = rng.random((count, 1, 1)) ** 3
        deviation = self._config.landmark_jitter * scale
        noise = rng.normal(0, deviation, (count, NUM_LANDMARKS, 2))
        return (share * noise).astype(np.float32)

    def iterate(self, start: int, stop: int) -> Iterator[PairBatch]:
        """Yields the batches of steps `start` to `stop` - 1, made ahead."""
        if self._config.loader == "memory":
            return _ahead(self, start, stop)
        return _through_tf_data(self, start, stop)


def _ahead(batches: Batches, start: int, stop: int) -> Iterator[PairBatch]:
    """The batches in order, each made by a thread while the one before is used."""
    with concurrent.futures.ThreadPoolExecutor(NUM_AHEAD) as pool:
        yield from in_order(pool, batches.batch, range(start, stop), NUM_AHEAD)


def _through_tf_data(batches: Batches, start: int, stop: int) -> Iterator[PairBatch]:
    """The same batches, read and decoded in parallel ahead of the training step."""
    import tensorflow as tf

    example = dataclasses.asdict(batches.batch(start))
    names = [name for name, value in example.items() if value is not None]
    types = [tf.as_dtype(example[name].dtype) for name in names]

    def load(step: np.ndarray) -> list[np.ndarray]:
        batch = batches.batch(int(step))
        return [getattr(batch, name) for name in names]

    dataset = tf.data.Dataset.range(start, stop).map(
        lambda step: tf.numpy_function(load, [step], types),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    for fields in dataset.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
        yield PairBatch(**dict(zip(names, fields, strict=True)))
