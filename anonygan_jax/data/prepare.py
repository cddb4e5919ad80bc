"""Photos to records: detect, find landmarks, crop, write.

python -m anonygan_jax.data.prepare PHOTOS --output DIR
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
from collections.abc import Iterator

import click
import cv2
import numpy as np
import tqdm

from anonygan_jax.data import crops, landmarks, photos, records
from anonygan_jax.data.whole_files import written_whole

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
class LeftOut:
    """A photo that gives no record, and why."""

    photo: str
    reason: str


def prepare_photo(
    detector: landmarks.DlibLandmarks, job: Job, photo: photos.PhotoFile
) -> records.FaceRecord | LeftOut:
    """Returns the record of one photo's main face, or why there is none."""
    identity = job.identity(photo)
    if not photo.has_photo_suffix:
        return LeftOut(photo.name, f"not a photo by its suffix {photo.path.suffix!r}")
    if identity is None:
        return LeftOut(photo.name, "not named in the identities file")
    try:
        image = photos.read_photo(photo.path)
        faces = detector.detect_any(image)
        if not faces:
            height, width = image.shape[:2]
            return LeftOut(photo.name, f"no face found in {width}x{height} pixels")
        face = landmarks.main_face(faces, image.shape)
        if job.aligned:
            matrix = crops.resize_transform(image.shape[:2], job.size)
            crop = cv2.resize(image, job.size[::-1], interpolation=cv2.INTER_AREA)
        else:
            matrix = crops.celeba_transform(face.points_xy, job.size)
            crop = crops.crop_photo(image, matrix, job.size)
    except (photos.PhotoError, crops.DegenerateFaceError) as error:
        return LeftOut(photo.name, str(error).removeprefix(f"{photo.path}: "))
    return records.FaceRecord(
        image=crop,
        points_xy=crops.transform_points(matrix, face.points_xy),
        identity=identity,
        file=photo.name,
        crop=matrix.astype(np.float32),
        score=face.score,
    )


_worker: tuple[landmarks.DlibLandmarks, Job] | None = None


def _start_worker(job: Job) -> None:
    """Loads the detector once per process."""
    global _worker
    cv2.setNumThreads(1)
    _worker = landmarks.DlibLandmarks(), job


def _work(photo: photos.PhotoFile) -> records.FaceRecord | LeftOut:
    """One photo in a worker process."""
    assert _worker is not None
    return prepare_photo(*_worker, photo)


def prepare(job: Job, output: pathlib.Path, num_workers: int) -> dict[str, object]:
    """Writes the records of `job` and returns the manifest.

    Shards that an earlier, interrupted run finished are kept. The same photos give the
    same bytes, whatever `num_workers`.

    Raises:
      ValueError: there are no photos, or `output` holds another run's records.
    """
    if not job.files:
        raise ValueError("no photos in the input")
    output.mkdir(parents=True, exist_ok=True)
    _check_plan(job, output)
    landmarks.DlibLandmarks()  # fails here, clearly, rather than in every worker
    summaries = list(_shards(job, output, num_workers))
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


def _shards(job: Job, output: pathlib.Path, num_workers: int) -> Iterator[dict]:
    """Makes or finds each shard and yields its summary, in order."""
    context = multiprocessing.get_context("spawn")
    with (
        concurrent.futures.ProcessPoolExecutor(
            num_workers, context, _start_worker, (job,)
        ) as pool,
        tqdm.tqdm(total=len(job.files), unit="photo", smoothing=0.05) as progress,
    ):
        for shard in range(job.num_shards):
            start = shard * PHOTOS_PER_SHARD
            members = job.files[start : start + PHOTOS_PER_SHARD]
            path = records.shard_path(output, shard, job.num_shards)
            summary_path = output / f"shard-{shard:05d}.json"
            if path.exists() and summary_path.exists():
                progress.update(len(members))
            else:
                results = []
                for result in pool.map(_work, members, chunksize=4):
                    results.append(result)
                    progress.update()
                _write_shard(job, path, summary_path, results)
            yield json.loads(summary_path.read_text())


def _write_shard(
    job: Job, path: pathlib.Path, summary_path: pathlib.Path, results: list
) -> None:
    """One shard and, after it, the summary that says it is complete."""
    kept = [r for r in results if isinstance(r, records.FaceRecord)]
    left_out = [dataclasses.asdict(r) for r in results if isinstance(r, LeftOut)]
    num_bytes = records.write_shard(path, job.size, kept)
    summary = {"kept": len(kept), "num_bytes": num_bytes, "left_out": left_out}
    with written_whole(summary_path) as partial:
        partial.write_text(json.dumps(summary))


def read_identities(path: pathlib.Path) -> dict[str, str]:
    """Returns the identity of each file named in a CelebA-style list.

    Raises:
      ValueError: a line is not "FILE IDENTITY"; the message gives its number.
    """
    identities = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if len(words) == 2:
            identities[words[0]] = words[1]
        elif words:
            raise ValueError(
                f"{path}, line {number}: want 'FILE IDENTITY', got {line!r}"
            )
    return identities


def _size(_context: object, _parameter: object, value: str) -> tuple[int, int]:
    """HEIGHTxWIDTH as numbers."""
    try:
        height, width = (int(number) for number in value.lower().split("x"))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not HEIGHTxWIDTH") from error
    if min(height, width) < 16:
        raise click.BadParameter(f"{value} is smaller than 16x16")
    return height, width


@click.command("prepare", short_help="Photos to training records.")
@click.argument("inputs", nargs=-1, required=True, metavar="PHOTOS...")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=pathlib.Path, file_okay=False),
    help="Folder for the records; an unfinished one is continued.",
)
@click.option(
    "--identities",
    type=click.Path(path_type=pathlib.Path, exists=True, dir_okay=False),
    help="CelebA-style list of 'FILE IDENTITY'; without it a photo's folder names "
    "whose it is.",
)
@click.option(
    "--size", default="220x180", show_default=True, callback=_size, help="HEIGHTxWIDTH."
)
@click.option("--aligned", is_flag=True, help="Photos are framed as CelebA's: no crop.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count(),
    show_default="one per core",
    help="Processes.",
)
def main(
    inputs: tuple[str, ...],
    output: pathlib.Path,
    identities: pathlib.Path | None,
    size: tuple[int, int],
    aligned: bool,
    workers: int,
) -> None:
    """Turns PHOTOS (folders, files or .txt lists of files) into training records.

    In each photo the main face is found, its 68 landmarks are marked and it is cropped
    as CelebA frames faces. OUTPUT becomes a TFDS data set; its manifest.json names
    every photo that was left out and why. An interrupted run continues where it
    stopped.
    """
    try:
        listed = read_identities(identities) if identities else None
        job = Job(photos.find_photos(inputs), listed, size, aligned)
        manifest = prepare(job, output, workers)
    except (ValueError, FileNotFoundError, landmarks.LandmarksUnavailable) as error:
        raise click.ClickException(str(error)) from error
    total, kept = manifest["photos"], manifest["kept"]
    click.echo(f"{kept} of {total} photos prepared in {output}")
    if kept != total:
        click.echo(f"the others are listed with their reasons in {output / MANIFEST}")
    if kept == 0:
        raise click.ClickException("no photo gave a record")


if __name__ == "__main__":
    main()
