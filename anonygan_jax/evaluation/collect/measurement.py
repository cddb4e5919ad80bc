"""Measurements of the photos of a folder, as numbers that fit in memory."""

import dataclasses
from typing import Any, TypeVar

import numpy as np

from anonygan_jax.evaluation.collect.comparison import Comparison
from anonygan_jax.evaluation.collect.features import Features
from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.collect.inputs import (
    ANGLES,
    CLASSES,
    EMBEDDINGS,
    FEATURES,
)
from anonygan_jax.evaluation.collect.networks import Network
from anonygan_jax.evaluation.collect.observation import Observation
from anonygan_jax.evaluation.collect.photo import PhotoMeasurement
from anonygan_jax.recognition.table import DLIB

T = TypeVar("T")


@dataclasses.dataclass
class FolderMeasurement:
    """Measurements of the photos of a folder.

    Attributes:
      observations: by name, of photos with a face in the original.
      comparisons: by name, of results with their originals.
      features: by network, of the pictures.
      embeddings: by recogniser and name, float32 [D] each.
      classes: by network and name; of recognisers that classify, and of emotions.
      angles: by network and name; of the gaze, float64 [2] each, NaN of shut eyes.
      problems: photos that are not measured.
    """

    observations: dict[str, Observation] = dataclasses.field(default_factory=dict)
    comparisons: dict[str, Comparison] = dataclasses.field(default_factory=dict)
    features: dict[str, Features] = dataclasses.field(default_factory=dict)
    embeddings: dict[str, dict[str, np.ndarray]] = dataclasses.field(
        default_factory=dict
    )
    classes: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    angles: dict[str, dict[str, np.ndarray]] = dataclasses.field(default_factory=dict)
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def part(self, names: list[str]) -> "FolderMeasurement":
        """Returns the measurements of some faces, without features and problems."""
        chosen = set(names)

        def only(known: dict[str, T]) -> dict[str, T]:
            return {name: value for name, value in known.items() if name in chosen}

        return FolderMeasurement(
            observations=only(self.observations),
            comparisons=only(self.comparisons),
            embeddings={key: only(known) for key, known in self.embeddings.items()},
            classes={key: only(known) for key, known in self.classes.items()},
            angles={key: only(known) for key, known in self.angles.items()},
        )

    def add_photo(self, photo: PhotoMeasurement) -> None:
        """Adds the measurement of one more photo."""
        self.problems += photo.problems
        if photo.observation is not None:
            self.observations[photo.name] = photo.observation
            descriptor = photo.observation.descriptor
            self.embeddings.setdefault(DLIB, {})[photo.name] = descriptor
            self.features.setdefault(DLIB, Features()).update(descriptor[None])
        if photo.comparison is not None:
            self.comparisons[photo.name] = photo.comparison

    def add_batch(self, network: Network, names: list[str], batch: np.ndarray) -> None:
        """Adds a network's outputs for the pictures of some photos."""
        for kind, outputs in network(batch).items():
            if kind == FEATURES:
                self.features.setdefault(network.name, Features()).update(outputs)
                continue
            known: Any = {
                EMBEDDINGS: self.embeddings,
                CLASSES: self.classes,
                ANGLES: self.angles,
            }[kind]
            known.setdefault(network.name, {}).update(zip(names, outputs, strict=True))
