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
from anonygan_jax.faces.masks import mask_polygon
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.io.worker_process import WorkerDied
from anonygan_jax.recognition.table import RECOGNISERS

Waiting = dict[str, list[tuple[str, np.ndarray]]]  # names and pictures by kind


class FolderEvaluator:
    """Processes that measure photos, and networks that take the pictures in batches."""

    def __init__(
        self, networks: list[Network], use_mtcnn: bool, num_workers: int
    ) -> None:
        """Prepares the processes.

        Raises:
          MissingPackage: MTCNN is wanted and missing.
        """
        FaceObserver(use_mtcnn)  # raises here what would break every worker
        self._networks = networks
        self._recognisers = [n for n in networks if n.name in RECOGNISERS]
        load = functools.partial(FaceObserver, use_mtcnn)
        self._pool = WorkerPool.in_processes(load, num_workers)

    def __enter__(self) -> "FolderEvaluator":
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def originals(self, photos: dict[str, pathlib.Path]) -> FolderMeasurement:
        """Returns the measurements of originals, given by name; raises as `results`."""
        return self._originals(photos, "originals", self._networks)

    def gallery(self, photos: dict[str, pathlib.Path]) -> FolderMeasurement:
        """Returns what recognisers say of more originals; raises as `results`."""
        return self._originals(photos, "gallery", self._recognisers)

    def floor(
        self,
        photos: dict[str, pathlib.Path],
        originals: FolderMeasurement,
        region: str,
    ) -> FolderMeasurement:
        """Returns what recognisers say of originals with a black patch on the face.

        Args:
          photos: originals by name.
          originals: their measurements.
          region: of the mask that is black; see `faces.masks`.

        Raises:
          WorkerDied: a process could not be started.
        """
        faces = originals.observations
        items = (
            PhotoToMeasure(
                name,
                photos[name],
                photos[name],
                faces[name],
                # Here, as workers must not start JAX: it would take the accelerator.
                np.asarray(mask_polygon(faces[name].points_xy, region)),
            )
            for name in sorted(faces)
        )
        title = f"black patch ({region})"
        return self._measure(items, len(faces), title, self._recognisers)

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
        return self._measure(items, len(names), title, self._networks)

    def _originals(
        self, photos: dict[str, pathlib.Path], title: str, networks: list[Network]
    ) -> FolderMeasurement:
        """Photos that are compared with none."""
        items = (PhotoToMeasure(name, photos[name]) for name in sorted(photos))
        return self._measure(items, len(photos), title, networks)

    def _measure(
        self,
        photos: Iterable[PhotoToMeasure],
        count: int,
        title: str,
        networks: list[Network],
    ) -> FolderMeasurement:
        """All photos; each network gets its pictures in whole batches."""
        folder, waiting = FolderMeasurement(), Waiting()
        wanted = frozenset(network.picture for network in networks)
        work = functools.partial(measure_photo, wanted=wanted)
        measured = self._pool.map(work, photos, _lost)
        for photo in tqdm.tqdm(measured, title, count, unit="photo", smoothing=0.05):
            folder.add_photo(photo)
            for kind, picture in photo.pictures.items():
                waiting.setdefault(kind, []).append((photo.name, picture))
            for network, names, batch in _batches(networks, waiting, whole=True):
                folder.add_batch(network, names, batch)
        for network, names, batch in _batches(networks, waiting, whole=False):
            folder.add_batch(network, names, batch)
        return folder


def _batches(
    networks: list[Network], waiting: Waiting, whole: bool
) -> Iterator[tuple[Network, list[str], np.ndarray]]:
    """Removes and yields the pictures of each network with a batch (or any)."""
    used = set()
    for network in networks:
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
