"""Batches of pairs for training, from memory or through tf.data."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import cv2
import flax.struct
import jax
import numpy as np

from anonygan_jax.data import crops
from anonygan_jax.data.pairs import PairConfig, PairIndices, PairSampler
from anonygan_jax.data.records import FaceRecords

LOADERS = ("memory", "tf_data")


@flax.struct.dataclass
class PairBatch:
    """Pairs of photos as they leave the input pipeline.

    Attributes:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.
      same_identity: bool [B], the reconstruction loss applies.
    """

    condition: jax.Array
    source: jax.Array
    condition_points_xy: jax.Array
    source_points_xy: jax.Array
    same_identity: jax.Array


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What is trained on.

    Attributes:
      directory: folder made by `anonygan prepare`, or "embedded".
      image_size: (height, width) of the training pictures.
      batch_size: pairs per step.
      loader: "memory" decodes everything once and needs no TensorFlow; "tf_data" reads
        while training, for sets larger than memory.
      seed: of the order and the pairs.
    """

    directory: str
    image_size: tuple[int, int]
    batch_size: int
    loader: str
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "image_size", tuple(self.image_size))
        if self.loader not in LOADERS:
            raise ValueError(f"loader is {self.loader!r}, wanted one of {LOADERS}")
        if self.batch_size < 1:
            raise ValueError(f"batch_size is {self.batch_size}, wanted at least 1")


class Faces:
    """Random access to faces at the training size."""

    def __init__(self, records: FaceRecords, size: tuple[int, int]) -> None:
        self._records, self._size = records, size

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns uint8 [N, H, W, 3] and float32 [N, 68, 2] in its pixels."""
        images, points = [], []
        for face in self._records.read(indices.tolist()):
            matrix = crops.resize_transform(face.image.shape[:2], self._size)
            images.append(
                cv2.resize(face.image, self._size[::-1], interpolation=cv2.INTER_AREA)
            )
            points.append(crops.transform_points(matrix, face.points_xy))
        return np.stack(images), np.stack(points)


class FacesInMemory(Faces):
    """The same, decoded once."""

    def __init__(self, records: FaceRecords, size: tuple[int, int]) -> None:
        super().__init__(records, size)
        step = 256
        blocks = [
            super(FacesInMemory, self).read(np.arange(i, min(i + step, len(records))))
            for i in range(0, len(records), step)
        ]
        self._images = np.concatenate([images for images, _ in blocks])
        self._points = np.concatenate([points for _, points in blocks])

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns as `Faces.read`."""
        return self._images[indices], self._points[indices]


def make_batch(faces: Faces, pairs: PairIndices) -> PairBatch:
    """Returns the batch of the pairs, as numpy arrays."""
    condition, condition_points = faces.read(pairs.condition)
    source, source_points = faces.read(pairs.source)
    fields: dict[str, Any] = {
        "condition": condition,
        "source": source,
        "condition_points_xy": condition_points,
        "source_points_xy": source_points,
        "same_identity": pairs.same_identity,
    }
    return PairBatch(**fields)


class Batches:
    """The batches of a run."""

    def __init__(self, config: DataConfig, pair_config: PairConfig) -> None:
        """Opens the records.

        Raises:
          RecordsError: the directory holds no prepared faces.
          ValueError: it holds too few for the pairs wanted.
        """
        records = FaceRecords(config.directory)
        self._config = config
        self.sampler = PairSampler(
            records.identities(), pair_config, config.batch_size, config.seed
        )
        in_memory = config.loader == "memory"
        kind = FacesInMemory if in_memory else Faces
        self._faces = kind(records, config.image_size)

    def batch(self, step: int) -> PairBatch:
        """Returns the batch of a step."""
        return make_batch(self._faces, self.sampler.batch(step))

    def iterate(self, start: int, stop: int) -> Iterator[PairBatch]:
        """Yields the batches of steps `start` to `stop` - 1."""
        if self._config.loader == "memory":
            return (self.batch(step) for step in range(start, stop))
        return _through_tf_data(self, start, stop)


def _through_tf_data(batches: Batches, start: int, stop: int) -> Iterator[PairBatch]:
    """The same batches, read and decoded in parallel ahead of the training step."""
    import tensorflow as tf

    names = [field.name for field in dataclasses.fields(PairBatch)]
    types = (tf.uint8, tf.uint8, tf.float32, tf.float32, tf.bool)

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
