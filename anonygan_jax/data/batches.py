"""Batches of pairs for training, as functions of the step."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import flax.struct
import numpy as np

from anonygan_jax.data.dataset import FaceDataset, InMemoryFaceDataset
from anonygan_jax.data.pairs import OTHER_IDENTITY, PairConfig, PairIndices, PairSampler
from anonygan_jax.data.stores import open_store
from anonygan_jax.data.warped_conditions import PriorPool, draw_priors
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import NUM_LANDMARKS

Array = Any  # numpy's on the host, JAX's on its way through a step
LOADERS = ("memory", "device", "tf_data")


@flax.struct.dataclass
class PairBatch:
    """Pairs of photos as they leave the input pipeline.

    Attributes:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.
      same_identity: bool [B], the reconstruction loss applies.
      condition_person: int32 [B], who the condition is, as a number; -1: nobody.
      prior: uint8 [B, H, W, 3], the source with the condition's face warped into it, or
        None where the network wants none.
    """

    condition: Array
    source: Array
    condition_points_xy: Array
    source_points_xy: Array
    is_supervised: Array
    condition_person: Array | None = None
    warped_condition: Array | None = None


@flax.struct.dataclass
class BatchIndices:
    """What a batch is made of.

    Attributes:
      condition, source: int32 [B], numbers of faces.
      condition_points_xy, source_points_xy, same_identity, condition_person: as in
        `PairBatch`.
    """

    condition: Array
    source: Array
    condition_points_xy: Array
    source_points_xy: Array
    is_supervised: Array
    condition_person: Array


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What is trained on.

    Attributes:
      directory: folder or pack made by `anonygan prepare`, or "embedded"; several, with
        commas.
      image_size: (height, width) of the training pictures.
      batch_size: pairs per step.
      loader: "memory" decodes everything once; "device" also keeps it in the memory of
        every device; "tf_data" reads while training, for sets larger than memory, and
        is the only one that needs TensorFlow.
      seed: of the order and the pairs.
      repeats: how often a pass shows the photos of each directory.
      composites: one more directory, whose faces are conditions only; "" for none.
      zoom: see `crops.window_transform`.
      landmark_jitter: pixels of CelebA's frame; the landmarks of each source are moved
        by normal noise, whose deviation is this much at most, mostly far less.
      warped_condition_workers: processes that warp conditions; 0 for threads.
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
    warped_condition_workers: int = 0

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


class BatchLoader:
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
          RecordsError, PackError: a directory holds no prepared faces.
          ValueError: they hold too few for the pairs wanted, the loader cannot make
            priors, or a pack does not fit.
        """
        if with_prior and config.loader == "device":
            raise ValueError(
                'data.loader is "device", but priors are made on the host: "memory"'
            )
        self._config, self._pair_config = config, pair_config
        self._rows = rows
        self._draw_priors = None
        if with_prior:
            workers = config.warped_condition_workers
            self._draw_priors = PriorPool(workers) if workers else draw_priors
        folders = config.directories + (
            [config.composites] if config.composites else []
        )
        stores = [open_store(folder) for folder in folders]
        self._num_composites = len(stores[-1]) if config.composites else 0
        labels = [store.labels() for store in stores]
        self._identities = [name for names, _ in labels for name in names]
        points = [points for _, points in labels]
        self._repeats = np.repeat(
            [*config.repeats, 1][: len(stores)], [len(store) for store in stores]
        )
        kind = FaceDataset if config.loader == "tf_data" else InMemoryFaceDataset
        self._faces = kind(stores, points, config.image_size, config.zoom)
        self.sampler = self._sampler(pair_config, config.batch_size)

    def _sampler(
        self, pair_config: PairConfig, batch_size: int, held_out: bool = False
    ) -> PairSampler:
        """Pairs of so many in a batch."""
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

    def batch(self, step: int) -> PairBatch:
        """Returns this process' rows of the batch of a step, as numpy arrays."""
        return self._read(self.indices_of(step))

    def indices_of(self, step: int) -> BatchIndices:
        """Returns what this process' rows of the batch of a step are made of."""
        rng = np.random.default_rng([self._config.seed, 2, step])
        return self._choose(self.sampler.batch(step), rng, self._rows)

    def images(self) -> np.ndarray:
        """Returns all faces, uint8 [N, H, W, 3], in the order that choices number."""
        return self._faces.read(np.arange(len(self._faces)))

    @property
    def loader(self) -> str:
        """How the faces get to the devices."""
        return self._config.loader

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
        return self._read(self._choose(pairs, np.random.default_rng(0)))

    def _choose(
        self,
        pairs: PairIndices,
        rng: np.random.Generator,
        rows: slice = slice(None),
    ) -> BatchIndices:
        """Some rows of the pairs, with landmarks as they shall be."""
        points = self._faces.points_xy[pairs.source[rows]]
        if self._config.landmark_jitter:
            # Drawn for the whole batch: the same whoever makes which rows.
            points = points + self._noise(len(pairs.source), rng)[rows]
        return BatchIndices(
            condition=pairs.condition[rows].astype(np.int32),
            source=pairs.source[rows].astype(np.int32),
            condition_points_xy=self._faces.points_xy[pairs.condition[rows]],
            source_points_xy=points,
            is_supervised=pairs.is_supervised[rows],
            condition_person=pairs.condition_person[rows],
        )

    def _read(self, indices: BatchIndices) -> PairBatch:
        """The batch that was chosen."""
        fields: dict[str, Any] = {
            "condition": self._faces.read(indices.condition),
            "condition_points_xy": indices.condition_points_xy,
            "source": self._faces.read(indices.source),
            "source_points_xy": indices.source_points_xy,
        }
        warped_condition = (
            self._draw_priors(*fields.values()) if self._draw_priors else None
        )
        return PairBatch(
            **fields,
            is_supervised=indices.is_supervised,
            condition_person=indices.condition_person,
            warped_condition=warped_condition,
        )

    def _noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Noise of points; the cube of its share keeps most of it small."""
        scale = (
            self._config.image_size[0] * self._config.zoom / alignment.CELEBA_SIZE[0]
        )
        share = rng.random((count, 1, 1)) ** 3
        deviation = self._config.landmark_jitter * scale
        noise = rng.normal(0, deviation, (count, NUM_LANDMARKS, 2))
        return (share * noise).astype(np.float32)

    def through_tf_data(self, start: int, stop: int) -> Iterator[PairBatch]:
        """Yields the batches of steps `start` to `stop` - 1, decoded in parallel."""
        import tensorflow as tf

        example = dataclasses.asdict(self.batch(start))
        names = [name for name, value in example.items() if value is not None]
        types = [tf.as_dtype(example[name].dtype) for name in names]

        def load(step: np.ndarray) -> list[np.ndarray]:
            batch = self.batch(int(step))
            return [getattr(batch, name) for name in names]

        dataset = tf.data.Dataset.range(start, stop).map(
            lambda step: tf.numpy_function(load, [step], types),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        for fields in dataset.prefetch(tf.data.AUTOTUNE).as_numpy_iterator():
            yield PairBatch(**dict(zip(names, fields, strict=True)))
