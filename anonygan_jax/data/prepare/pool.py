"""Shards prepared by processes of this machine."""

import functools

import tqdm

from anonygan_jax.data.prepare.job import (
    Job,
    PreparedPhoto,
    Shard,
    SkippedPhoto,
    prepare_photo,
)
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.io.inputs import PhotoFile
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied


def make_shards(shards: list[Shard], num_workers: int) -> None:
    """Writes the shards of one job, one after the other.

    Args:
      shards: of one job.
      num_workers: processes that share the photos of each shard.

    A photo during which a process dies is skipped.

    Raises:
      WorkerDied: a process could not be started.
    """
    if not shards:
        return
    num_photos = sum(len(shard.members) for shard in shards)
    load = functools.partial(_load, shards[0].job)
    with (
        WorkerPool.in_processes(load, num_workers) as pool,
        tqdm.tqdm(total=num_photos, unit="photo", smoothing=0.05) as progress,
    ):
        for shard in shards:
            results = []
            for result in pool.map(_prepare, shard.members, _lost):
                results.append(result)
                progress.update()
            shard.write(results)


def _load(job: Job) -> tuple[DlibLandmarks, Job]:
    """Loads the detector of a process and keeps the job, which may be large."""
    return DlibLandmarks(), job


def _prepare(worker: tuple[DlibLandmarks, Job], photo: PhotoFile) -> PreparedPhoto:
    """One photo in a worker process."""
    return prepare_photo(*worker, photo)


def _lost(photo: PhotoFile, error: WorkerDied) -> PreparedPhoto:
    """What becomes of a photo during which a process died."""
    return SkippedPhoto(photo.name, str(error))
