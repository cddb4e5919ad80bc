"""Shards made by processes of this machine."""

import concurrent.futures
import multiprocessing

import cv2
import tqdm

from anonygan_jax.data.prepare.job import Job, PreparedPhoto, Shard, prepare_photo
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.io import photos

_worker: tuple[DlibLandmarks, Job] | None = None


def make_shards(shards: list[Shard], num_workers: int) -> None:
    """Makes shards of one job one after the other, the photos of each in parallel."""
    if not shards:
        return
    context = multiprocessing.get_context("spawn")
    num_photos = sum(len(shard.members) for shard in shards)
    with (
        concurrent.futures.ProcessPoolExecutor(
            num_workers, context, _start_worker, (shards[0].job,)
        ) as pool,
        tqdm.tqdm(total=num_photos, unit="photo", smoothing=0.05) as progress,
    ):
        for shard in shards:
            results = []
            for result in pool.map(_work, shard.members, chunksize=4):
                results.append(result)
                progress.update()
            shard.write(results)


def _start_worker(job: Job) -> None:
    """Loads the detector once per process."""
    global _worker
    cv2.setNumThreads(1)
    _worker = DlibLandmarks(), job


def _work(photo: photos.PhotoFile) -> PreparedPhoto:
    """One photo in a worker process."""
    assert _worker is not None
    return prepare_photo(*_worker, photo)
