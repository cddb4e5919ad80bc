"""Preparation of photos: detect the main face, compute landmarks, crop, write."""

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
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.kinds import PICTURES
from anonygan_jax.io.staged_folder import staged_folder

PHOTOS_PER_SHARD = 512  # photos to prepare again after an interruption, at most
MANIFEST = "manifest.json"
PLAN = "plan.json"


@dataclasses.dataclass(frozen=True)
class Job:
    """Photos and settings of one preparation.

    Attributes:
      files: all files of the input, sorted by name.
      identities: identity by file name; None for the name of the parent folder.
      size: (height, width) of the crops.
      aligned: the photos are aligned as CelebA's: they are resized and not cropped.
    """

    files: list[PhotoFile]
    identities: dict[str, str] | None
    size: tuple[int, int]
    aligned: bool

    @property
    def num_shards(self) -> int:
        """Number of shards."""
        return -(-len(self.files) // PHOTOS_PER_SHARD)

    def plan(self) -> dict[str, object]:
        """Returns what a resumed job must share with the interrupted one."""
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

    def identity(self, photo: PhotoFile) -> str | None:
        """Returns the identity of a photo; None where the identities file has none."""
        if self.identities is None:
            return photo.path.absolute().parent.name
        return self.identities.get(photo.name, self.identities.get(photo.path.name))


@dataclasses.dataclass(frozen=True)
class SkippedPhoto:
    """A photo that gives no record, and the reason."""

    photo: str
    reason: str


PreparedPhoto = records.FaceRecord | SkippedPhoto


def prepare_photo(detector: DlibLandmarks, job: Job, photo: PhotoFile) -> PreparedPhoto:
    """Returns the record of a photo's main face, or the reason why there is none."""
    identity = job.identity(photo)
    if photo.kind not in PICTURES:
        reason = photo.problem or f"not a photo by its suffix {photo.path.suffix!r}"
        return SkippedPhoto(photo.name, reason)
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
    """A part of a job; an interrupted job resumes with its first incomplete shard.

    Attributes:
      job: the whole job.
      output: folder of the records.
      number: of this shard.
    """

    job: Job
    output: pathlib.Path
    number: int

    @property
    def members(self) -> list[PhotoFile]:
        """Photos of the shard."""
        start = self.number * PHOTOS_PER_SHARD
        return self.job.files[start : start + PHOTOS_PER_SHARD]

    @property
    def path(self) -> pathlib.Path:
        """Path of the records."""
        return records.shard_path(self.output, self.number, self.job.num_shards)

    @property
    def summary_path(self) -> pathlib.Path:
        """Path of the summary; it exists once the shard is complete."""
        return self.output / f"shard-{self.number:05d}.json"

    @property
    def is_complete(self) -> bool:
        """Whether the shard is written."""
        return self.path.exists() and self.summary_path.exists()

    def write(self, results: Iterable[PreparedPhoto]) -> None:
        """Writes the results of its photos, in input order, and then the summary.

        Raises:
          OSError: a file cannot be written.
        """
        results = list(results)
        kept = [r for r in results if isinstance(r, records.FaceRecord)]
        skipped = [vars(r) for r in results if isinstance(r, SkippedPhoto)]
        with staged_folder(self.output) as folder:
            path = folder / self.path.name
            num_bytes = records.write_shard(path, self.job.size, kept)
        summary = {"kept": len(kept), "num_bytes": num_bytes, "left_out": skipped}
        with atomic_write(self.summary_path) as partial:
            partial.write_text(json.dumps(summary))


def prepare(
    job: Job, output: pathlib.Path, make: Callable[[list[Shard]], None]
) -> dict[str, object]:
    """Writes the records of a job and returns the manifest.

    Shards of an interrupted run are kept. The same photos give the same bytes, in any
    number of processes.

    Args:
      job: photos and settings.
      output: folder of the records, perhaps in a bucket.
      make: writes shards, in any order.

    Raises:
      ValueError: there are no photos, or `output` has records of another job.
    """
    if not job.files:
        raise ValueError("no photos in the input")
    _check_plan(job, output)
    DlibLandmarks()  # raises here what would break every worker
    shards = [Shard(job, output, number) for number in range(job.num_shards)]
    make([shard for shard in shards if not shard.is_complete])
    summaries = [json.loads(shard.summary_path.read_text()) for shard in shards]
    kept = [summary["kept"] for summary in summaries]
    manifest = {
        "photos": len(job.files),
        "kept": sum(kept),
        "left_out": [item for summary in summaries for item in summary["left_out"]],
    }
    num_bytes = sum(summary["num_bytes"] for summary in summaries)
    with staged_folder(output) as folder:
        elsewhere = [folder / shard.path.name for shard in shards if folder != output]
        for name in elsewhere:  # TFDS looks at the shards' names
            name.touch()
        records.write_metadata(folder, job.size, kept, num_bytes)
        for name in elsewhere:
            name.unlink()
    with atomic_write(output / MANIFEST) as partial:
        partial.write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def _check_plan(job: Job, output: pathlib.Path) -> None:
    """Writes the plan of a new job, or compares it with that of the interrupted job."""
    path, plan = output / PLAN, json.dumps(job.plan(), indent=1) + "\n"
    if path.exists() and path.read_text() != plan:
        raise ValueError(
            f"{output} holds records of other photos or settings ({PLAN} differs); "
            "choose another --output or delete it"
        )
    with atomic_write(path) as partial:
        partial.write_text(plan)
