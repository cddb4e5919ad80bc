"""Measurement of a folder of photos, by several processes."""

import functools
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
import tqdm

from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.collect.networks import Network
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.evaluation.collect.photo import (
    PhotoMeasurement,
    PhotoToMeasure,
    measure_photo,
)
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied

Waiting = dict[str, list[tuple[str, np.ndarray]]]  # names and pictures by kind


class FolderEvaluator:
    """Processes that measure photos, and networks that take the pictures in batches."""

    def __init__(
        self, networks: list[Network], use_mtcnn: bool, num_workers: int
    ) -> None:
        """Prepares the processes.

        Raises:
          LandmarksUnavailable, MtcnnUnavailable: a package is missing.
        """
        FaceObserver(use_mtcnn)  # raises here what would break every worker
        self._networks = networks
        wanted = frozenset(network.picture for network in networks)
        self._work = functools.partial(measure_photo, wanted=wanted)
        load = functools.partial(FaceObserver, use_mtcnn)
        self._pool = WorkerPool.in_processes(load, num_workers)

    def __enter__(self) -> "FolderEvaluator":
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def originals(self, photos: dict[str, pathlib.Path]) -> FolderMeasurement:
        """Returns the measurements of originals, given by name; raises as `results`."""
        items = (PhotoToMeasure(name, photos[name]) for name in sorted(photos))
        return self._measure(items, len(photos), "originals")

    def results(
        self,
        photos: dict[str, pathlib.Path],
        original_photos: dict[str, pathlib.Path],
        originals: FolderMeasurement,
        title: str,
    ) -> FolderMeasurement:
        """Returns the measurements of results by name, compared with their originals.

        A photo during which a process dies is a problem.

        Raises:
          WorkerDied: a process could not be started.
        """
        names, faces = sorted(photos.keys() & original_photos.keys()), originals
        items = (
            PhotoToMeasure(n, photos[n], original_photos[n], faces.observations.get(n))
            for n in names
        )
        return self._measure(items, len(names), title)

    def _measure(
        self, photos: Iterable[PhotoToMeasure], count: int, title: str
    ) -> FolderMeasurement:
        """All photos; each network gets its pictures in whole batches."""
        folder, waiting = FolderMeasurement(), Waiting()
        measured = self._pool.map(self._work, photos, _lost)
        for photo in tqdm.tqdm(measured, title, count, unit="photo", smoothing=0.05):
            folder.add_photo(photo)
            for kind, picture in photo.pictures.items():
                waiting.setdefault(kind, []).append((photo.name, picture))
            for network, names, batch in self._batches(waiting, whole=True):
                folder.add_batch(network, names, batch)
        for network, names, batch in self._batches(waiting, whole=False):
            folder.add_batch(network, names, batch)
        return folder

    def _batches(
        self, waiting: Waiting, whole: bool
    ) -> Iterator[tuple[Network, list[str], np.ndarray]]:
        """Removes and yields the pictures of each network with a batch (or any)."""
        used = set()
        for network in self._networks:
            pictures = waiting.get(network.picture, [])
            if len(pictures) >= (network.batch_size if whole else 1):
                names, batch = zip(*pictures, strict=True)
                yield network, list(names), np.stack(batch)
                used.add(network.picture)
        for kind in used:
            waiting[kind] = []


def _lost(photo: PhotoToMeasure, error: WorkerDied) -> PhotoMeasurement:
    """The measurement of a photo during which a process died."""
    problem = Problem(photo.name, str(error))
    return PhotoMeasurement(photo.name, None, None, {}, [problem])
