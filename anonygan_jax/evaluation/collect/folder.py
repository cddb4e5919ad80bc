"""A folder of photos, looked at in parallel, as numbers that fit in memory."""

import concurrent.futures
import dataclasses
import multiprocessing
import pathlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

import cv2
import numpy as np
import tqdm

from anonygan_jax.evaluation.collect.comparison import Comparison
from anonygan_jax.evaluation.collect.emotion import EmotionClassifier
from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.collect.inputs import EMOTION, FACENET
from anonygan_jax.evaluation.collect.networks import FrozenNetwork
from anonygan_jax.evaluation.collect.observation import FaceObserver, Observation
from anonygan_jax.evaluation.collect.photo import Sighting, Task, look
from anonygan_jax.evaluation.metrics.features import Features
from anonygan_jax.io.prefetch import in_order

T = TypeVar("T")
Network = FrozenNetwork | EmotionClassifier
NUM_AHEAD_PER_WORKER = 8  # photos looked at before the networks are ready for them


@dataclasses.dataclass
class FolderMeasurement:
    """What was seen in all photos of a folder.

    Attributes:
      seen: by name, photos with a face in the original.
      comparisons: by name, of results with their originals.
      features: by network, of the pictures.
      embeddings: by recogniser and name, float32 [D] each.
      classes: by network and name; of recognisers that classify, and of emotions.
      problems: what was left out and why.
    """

    seen: dict[str, Observation] = dataclasses.field(default_factory=dict)
    comparisons: dict[str, Comparison] = dataclasses.field(default_factory=dict)
    features: dict[str, Features] = dataclasses.field(default_factory=dict)
    embeddings: dict[str, dict[str, np.ndarray]] = dataclasses.field(
        default_factory=dict
    )
    classes: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def part(self, names: list[str]) -> "FolderMeasurement":
        """Returns what is known of some faces by name: no features, no problems."""
        chosen = set(names)

        def only(known: dict[str, T]) -> dict[str, T]:
            return {name: value for name, value in known.items() if name in chosen}

        return FolderMeasurement(
            seen=only(self.seen),
            comparisons=only(self.comparisons),
            embeddings={key: only(known) for key, known in self.embeddings.items()},
            classes={key: only(known) for key, known in self.classes.items()},
        )

    def add(self, sighting: Sighting) -> None:
        """Notes what was seen in one more photo."""
        self.problems += sighting.problems
        if sighting.seen is not None:
            self.seen[sighting.name] = sighting.seen
            known = self.embeddings.setdefault("dlib", {})
            known[sighting.name] = sighting.seen.descriptor
            descriptors = self.features.setdefault("dlib", Features())
            descriptors.update(sighting.seen.descriptor[None])
        if sighting.comparison is not None:
            self.comparisons[sighting.name] = sighting.comparison

    def take(self, network: Network, names: list[str], batch: np.ndarray) -> None:
        """Notes what a network makes of the pictures of some photos."""
        made = network(batch)
        if network.picture == EMOTION:
            self._note_classes(network.name, names, made)
        elif network.picture == FACENET:
            embeddings, classes = made
            self.embeddings.setdefault(network.name, {}).update(
                zip(names, embeddings, strict=True)
            )
            self._note_classes(network.name, names, classes)
        else:
            self.features.setdefault(network.name, Features()).update(made)

    def _note_classes(self, network: str, names: list[str], made: np.ndarray) -> None:
        """Notes class numbers of some photos."""
        known = self.classes.setdefault(network, {})
        known.update((n, int(c)) for n, c in zip(names, made, strict=True))


class FolderEvaluator:
    """Processes that look at photos, and networks that look at what they cut out."""

    def __init__(
        self, networks: list[Network], use_mtcnn: bool, num_workers: int
    ) -> None:
        """Starts the processes.

        Args:
          networks: FaceNets, those of whose features distances are taken, and the
            classifier of emotions.
          use_mtcnn: ask MTCNN as well as dlib.
          num_workers: processes.

        Raises:
          LandmarksUnavailable, MtcnnUnavailable: what is missing.
        """
        FaceObserver(use_mtcnn)  # fails here, clearly, rather than in every worker
        self._networks = networks
        wanted = frozenset(network.picture for network in networks)
        self._num_ahead = NUM_AHEAD_PER_WORKER * num_workers
        self._pool = concurrent.futures.ProcessPoolExecutor(
            num_workers,
            multiprocessing.get_context("spawn"),
            _start_worker,
            (use_mtcnn, wanted),
        )

    def __enter__(self) -> "FolderEvaluator":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def originals(self, photos: dict[str, pathlib.Path]) -> FolderMeasurement:
        """Returns what is seen in originals, given by name."""
        tasks = (Task(name, photos[name]) for name in sorted(photos))
        return self._survey(tasks, len(photos), "originals")

    def results(
        self,
        photos: dict[str, pathlib.Path],
        original_photos: dict[str, pathlib.Path],
        originals: FolderMeasurement,
        title: str,
    ) -> FolderMeasurement:
        """Returns what is seen in results, by name, and how they compare."""
        names = sorted(photos.keys() & original_photos.keys())
        tasks = (
            Task(n, photos[n], original_photos[n], originals.seen.get(n)) for n in names
        )
        return self._survey(tasks, len(names), title)

    def _survey(
        self, tasks: Iterable[Task], count: int, title: str
    ) -> FolderMeasurement:
        """All photos; each network gets its pictures in whole batches."""
        survey = FolderMeasurement()
        sightings = in_order(self._pool, _look, tasks, self._num_ahead)
        progress = tqdm.tqdm(sightings, title, count, unit="photo", smoothing=0.05)
        waiting: dict[str, list[tuple[str, np.ndarray]]] = {}
        for sighting in progress:
            survey.add(sighting)
            for kind, picture in sighting.pictures.items():
                waiting.setdefault(kind, []).append((sighting.name, picture))
            for network, names, batch in self._batches(waiting, whole=True):
                survey.take(network, names, batch)
        for network, names, batch in self._batches(waiting, whole=False):
            survey.take(network, names, batch)
        return survey

    def _batches(
        self, waiting: dict[str, list[tuple[str, np.ndarray]]], whole: bool
    ) -> Iterator[tuple[Network, list[str], np.ndarray]]:
        """Pictures for each network that has enough (or any) waiting; taken out."""
        used = set()
        for network in self._networks:
            pictures = waiting.get(network.picture, [])
            if len(pictures) >= (network.batch_size if whole else 1):
                names, batch = zip(*pictures, strict=True)
                yield network, list(names), np.stack(batch)
                used.add(network.picture)
        for kind in used:
            waiting[kind] = []


_worker: tuple[FaceObserver, frozenset[str]] | None = None


def _start_worker(use_mtcnn: bool, wanted: frozenset[str]) -> None:
    """Loads the detectors once per process."""
    global _worker
    cv2.setNumThreads(1)
    _worker = FaceObserver(use_mtcnn), wanted


def _look(task: Task) -> Sighting:
    """One photo in a worker process."""
    assert _worker is not None
    return look(*_worker, task)
