"""Photos to records: detect, find landmarks, crop, write."""

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from anonygan_jax.data import records
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import main_face
from anonygan_jax.io import photos
from anonygan_jax.io.atomic_write import atomic_write

PHOTOS_PER_SHARD = 512  # what an interruption loses at most
MANIFEST = "manifest.json"
PLAN = "plan.json"


@dataclasses.dataclass(frozen=True)
class Job:
    """What is asked of one run.

    Attributes:
      files: every file of the input, sorted by name.
      identities: identity of each name, or None: its parent folder's name.
      size: (height, width) of the crops.
      aligned: the photos are already framed as CelebA's: no crop, only a resize.
    """

    files: list[photos.PhotoFile]
    identities: dict[str, str] | None
    size: tuple[int, int]
    aligned: bool

    @property
    def num_shards(self) -> int:
        return -(-len(self.files) // PHOTOS_PER_SHARD)

    def plan(self) -> dict[str, object]:
        """What must not change between an interrupted run and its continuation."""
        names = hashlib.sha256()
        for photo in self.files:
            size = photo.path.stat().st_size if photo.path.exists() else -1
            names.update(f"{photo.name}\0{size}\0{self.identity(photo)}\n".encode())
        return {
            "num_photos": len(self.files),
            "photos_sha256": names.hexdigest(),
            "size": list(self.size),
            "aligned": self.aligned,
        }

    def identity(self, photo: photos.PhotoFile) -> str | None:
        """Whose photo it is; None where the identities file doesn't say."""
        if self.identities is None:
            return photo.path.absolute().parent.name
        return self.identities.get(photo.name, self.identities.get(photo.path.name))


@dataclasses.dataclass(frozen=True)
class SkippedPhoto:
    """A photo that gives no record, and why."""

    photo: str
    reason: str


PreparedPhoto = records.FaceRecord | SkippedPhoto


def prepare_photo(
    detector: DlibLandmarks, job: Job, photo: photos.PhotoFile
) -> PreparedPhoto:
    """Returns the record of one photo's main face, or why there is none."""
    identity = job.identity(photo)
    if not photo.has_photo_suffix:
        return SkippedPhoto(
            photo.name, f"not a photo by its suffix {photo.path.suffix!r}"
        )
    if identity is None:
        return SkippedPhoto(photo.name, "not named in the identities file")
    try:
        image = photos.read_photo(photo.path)
        faces = detector.detect_any(image)
        if not faces:
            height, width = image.shape[:2]
            return SkippedPhoto(photo.name, f"no face found in {width}x{height} pixels")
        face = main_face(faces, image.shape)
        if job.aligned:
            matrix = alignment.resize_transform(image.shape[:2], job.size)
            crop = cv2.resize(image, job.size[::-1], interpolation=cv2.INTER_AREA)
        else:
            matrix = alignment.celeba_transform(face.points_xy, job.size)
            crop = alignment.crop_photo(image, matrix, job.size)
    except (photos.PhotoError, alignment.DegenerateFaceError) as error:
        return SkippedPhoto(photo.name, str(error).removeprefix(f"{photo.path}: "))
    return records.FaceRecord(
        image=crop,
        points_xy=alignment.transform_points(matrix, face.points_xy),
        identity=identity,
        file=photo.name,
        crop=matrix.astype(np.float32),
        score=face.score,
    )


@dataclasses.dataclass(frozen=True)
class Shard:
    """A part of a job, and the unit in which it is resumed.

    Attributes:
      job: the whole.
      output: folder of the records.
      number: of this part.
    """

    job: Job
    output: pathlib.Path
    number: int

    @property
    def members(self) -> list[photos.PhotoFile]:
        """Its photos."""
        start = self.number * PHOTOS_PER_SHARD
        return self.job.files[start : start + PHOTOS_PER_SHARD]

    @property
    def path(self) -> pathlib.Path:
        """Its records."""
        return records.shard_path(self.output, self.number, self.job.num_shards)

    @property
    def summary_path(self) -> pathlib.Path:
        """What says that it is complete."""
        return self.output / f"shard-{self.number:05d}.json"

    @property
    def is_complete(self) -> bool:
        """Whether it was made before."""
        return self.path.exists() and self.summary_path.exists()

    def write(self, results: Iterable[PreparedPhoto]) -> None:
        """Writes the results of its photos, in their order, and then the summary."""
        results = list(results)
        kept = [r for r in results if isinstance(r, records.FaceRecord)]
        left_out = [
            dataclasses.asdict(r) for r in results if isinstance(r, SkippedPhoto)
        ]
        num_bytes = records.write_shard(self.path, self.job.size, kept)
        summary = {"kept": len(kept), "num_bytes": num_bytes, "left_out": left_out}
        with atomic_write(self.summary_path) as partial:
            partial.write_text(json.dumps(summary))


def prepare(
    job: Job, output: pathlib.Path, make: Callable[[list[Shard]], None]
) -> dict[str, object]:
    """Writes the records of `job` and returns the manifest.

    Shards that an earlier, interrupted run finished are kept. The same photos give the
    same bytes, whoever makes the shards.

    Args:
      job: what is asked.
      output: folder of the records.
      make: makes shards, in any order and place.

    Raises:
      ValueError: there are no photos, or `output` holds another run's records.
    """
    if not job.files:
        raise ValueError("no photos in the input")
    output.mkdir(parents=True, exist_ok=True)
    _check_plan(job, output)
    DlibLandmarks()  # fails here, clearly, rather than in every worker
    shards = [Shard(job, output, number) for number in range(job.num_shards)]
    make([shard for shard in shards if not shard.is_complete])
    summaries = [json.loads(shard.summary_path.read_text()) for shard in shards]
    kept = [summary["kept"] for summary in summaries]
    manifest = {
        "photos": len(job.files),
        "kept": sum(kept),
        "left_out": [item for summary in summaries for item in summary["left_out"]],
    }
    records.write_metadata(
        output, job.size, kept, sum(summary["num_bytes"] for summary in summaries)
    )
    (output / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def _check_plan(job: Job, output: pathlib.Path) -> None:
    """Notes what is being made, or compares it with what was begun."""
    path, plan = output / PLAN, json.dumps(job.plan(), indent=1) + "\n"
    if path.exists() and path.read_text() != plan:
        raise ValueError(
            f"{output} holds records of other photos or settings ({PLAN} differs); "
            "choose another --output or delete it"
        )
    path.write_text(plan)
