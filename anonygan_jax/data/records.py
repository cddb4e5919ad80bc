"""Records: prepared faces as ArrayRecord shards, which TFDS reads."""

import dataclasses
import importlib.resources
import io
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import tensorflow_datasets as tfds
from array_record.python.array_record_module import ArrayRecordWriter
from PIL import Image
from tensorflow_datasets.proto import tf_example_pb2

from anonygan_jax.data.tfds_folder import RecordsError, check_features, named_errors
from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.io.atomic_write import discard

NAME = "faces"
SPLIT = "train"
SUFFIX = "array_record"
EMBEDDED_COMPOSITES = "embedded"  # directory name of the package's composites
JPEG_QUALITY = 92
_DECODING = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


@dataclasses.dataclass(frozen=True)
class FaceRecord:
    """One prepared face.

    Attributes:
      image: uint8 [H, W, 3], the crop.
      points_xy: float32 [68, 2], landmarks in the crop's pixels.
      identity: the person's name.
      file: the photo's path below the input folder.
      crop: float32 [2, 3], map from the photo's pixels to the crop's.
      score: the detector's confidence.
    """

    image: np.ndarray
    points_xy: np.ndarray
    identity: str
    file: str
    crop: np.ndarray
    score: float


def features(size: tuple[int, int]) -> tfds.features.FeaturesDict:
    """Returns the TFDS description of a record with crops of `size` (height, width)."""
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(*size, 3), encoding_format="jpeg"),
            "points_xy": tfds.features.Tensor(
                shape=(NUM_LANDMARKS, 2), dtype=np.float32
            ),
            "identity": tfds.features.Text(),
            "file": tfds.features.Text(),
            "crop": tfds.features.Tensor(shape=(2, 3), dtype=np.float32),
            "score": tfds.features.Scalar(dtype=np.float32),
        }
    )


def shard_path(directory: pathlib.Path, shard: int, num_shards: int) -> pathlib.Path:
    """Returns the path of a shard, as TFDS expects it."""
    return directory / f"{NAME}-{SPLIT}.{SUFFIX}-{shard:05d}-of-{num_shards:05d}"


def write_shard(
    path: pathlib.Path, size: tuple[int, int], faces: Iterable[FaceRecord]
) -> int:
    """Writes one shard atomically and returns its size in bytes.

    Args:
      path: of the shard.
      size: (height, width) of the crops.
      faces: in the order of the shard.

    Raises:
      OSError: the file cannot be written.
    """
    records = [_serialised(features(size), face) for face in faces]
    partial = path.with_name(path.name + ".partial")
    try:
        writer = ArrayRecordWriter(str(partial), "group_size:1")
        for record in records:
            writer.write(record)
        writer.close()
        partial.rename(path)
    except RuntimeError as error:  # ArrayRecord's, as on a full disk
        raise OSError(f"{path}: cannot be written: {error}") from error
    finally:
        discard(partial)
    return sum(map(len, records))


def _serialised(schema: tfds.features.FeaturesDict, face: FaceRecord) -> bytes:
    """The bytes of a record, the same ones at every call."""
    fields = dataclasses.asdict(face) | {"image": _jpeg(face.image)}
    # Protocol buffers write maps in an order that depends on the process.
    example = tf_example_pb2.Example.FromString(schema.serialize_example(fields))
    return example.SerializeToString(deterministic=True)


def write_metadata(
    directory: pathlib.Path,
    size: tuple[int, int],
    shard_lengths: Sequence[int],
    num_bytes: int,
) -> None:
    """Writes the files that `tfds.builder_from_directory` needs beside the shards.

    Args:
      directory: of the shards.
      size: (height, width) of the crops.
      shard_lengths: records of each shard.
      num_bytes: of all records.
    """
    template = tfds.core.ShardedFileTemplate(
        dataset_name=NAME, data_dir=directory, split=SPLIT, filetype_suffix=SUFFIX
    )
    split = tfds.core.SplitInfo(
        name=SPLIT,
        shard_lengths=list(shard_lengths),
        num_bytes=num_bytes,
        filename_template=template,
    )
    tfds.folder_dataset.write_metadata(
        data_dir=directory,
        features=features(size),
        split_infos=[split],
        check_data=False,
        description="Face crops with 68 landmarks, made by anonygan_jax prepare.",
    )


class FaceRecords:
    """Random access to the prepared faces of a folder.

    Attributes:
      directory: the folder.
      size: (height, width) of the pictures.
      zoom: 1: the pictures show all of CelebA's frame.
    """

    zoom = 1.0

    def __init__(self, directory: str | pathlib.Path) -> None:
        """Opens the records.

        Args:
          directory: a folder; "embedded" for the package's composites.

        Raises:
          RecordsError: the folder holds no complete set of records, or no face.
        """
        self.directory = _resolve(directory)
        if not (self.directory / "dataset_info.json").exists():
            raise RecordsError(
                f"{self.directory}: no prepared faces there; make them with "
                f"'anonygan prepare PHOTOS --output {self.directory}'"
            )
        with named_errors(self.directory):
            check_features(self.directory)
            builder = tfds.builder_from_directory(self.directory)
            self._source = builder.as_data_source(SPLIT)
            height, width, _ = builder.info.features["image"].shape
        self.size = (height, width)
        if len(self._source) == 0:
            raise RecordsError(f"{self.directory}: holds no face")

    def __len__(self) -> int:
        return len(self._source)

    def read(self, indices: Sequence[int]) -> list[FaceRecord]:
        """Returns the faces with these numbers, decoded.

        Raises:
          RecordsError: a record is damaged.
        """
        with named_errors(self.directory):
            return [_record(r) for r in self._source.__getitems__(list(indices))]

    def images(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Returns the pictures with these numbers, uint8 [H, W, 3].

        The same as of `read`, in less than half of its time.

        Raises:
          RecordsError: a record is damaged.
        """
        with named_errors(self.directory):
            raw = self._source.data_source
            return [_picture(raw[int(index)], self.size) for index in indices]

    def labels(self) -> tuple[list[str], np.ndarray]:
        """Returns names and landmarks of all faces; decodes no picture.

        Returns:
          The N people's names, and float32 [N, 68, 2] as in `FaceRecord`.

        Raises:
          RecordsError: a record is damaged.
        """
        skip = {"image": tfds.decode.SkipDecoding()}
        with named_errors(self.directory):
            builder = tfds.builder_from_directory(self.directory)
            source = builder.as_data_source(SPLIT, decoders=skip)
            labels = [(r["identity"].decode(), r["points_xy"]) for r in source]
        names, points = zip(*labels, strict=True)
        return list(names), np.stack(points)


def _record(fields: dict[str, Any]) -> FaceRecord:
    """A record of TFDS's fields."""
    text = {key: fields[key].decode() for key in ("identity", "file")}
    return FaceRecord(**(fields | text | {"score": float(fields["score"])}))


def _picture(record: bytes, size: tuple[int, int]) -> np.ndarray:
    """The picture of a serialized record; no other field is decoded."""
    fields = tf_example_pb2.Example.FromString(record).features.feature
    (encoded,) = fields["image"].bytes_list.value
    image = None
    if encoded:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), _DECODING)
    if image is None or image.shape != (*size, 3):
        raise ValueError(f"a record without a picture of {size[0]}x{size[1]} pixels")
    return image


def _resolve(directory: str | pathlib.Path) -> pathlib.Path:
    """A folder's path, or that of the embedded composites."""
    if str(directory) == EMBEDDED_COMPOSITES:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "composites"))
    return pathlib.Path(directory)


def _jpeg(image: np.ndarray) -> io.BytesIO:
    """JPEG bytes of a crop."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=JPEG_QUALITY)
    buffer.seek(0)
    return buffer
