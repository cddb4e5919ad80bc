"""Measurement of one photo: detectors, recognisers, and pictures for the networks."""

import dataclasses
import pathlib

import numpy as np

from anonygan_jax.evaluation.collect.comparison import (
    Comparison,
    background_similarity,
    compare,
)
from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.collect.inputs import pictures_for
from anonygan_jax.evaluation.collect.observation import (
    FaceObserver,
    NothingToSeeError,
    Observation,
)
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.io.photos import PhotoError, read_photo


class SizeMismatchError(ValueError):
    """A result that has not the size of its original."""


@dataclasses.dataclass(frozen=True)
class PhotoToMeasure:
    """A photo to measure; a result where it has an original.

    Attributes:
      name: of original and result, without suffix.
      path: of the photo.
      original_path: of a result's original.
      original: of a result, the face in its original; None where none is detected.
    """

    name: str
    path: pathlib.Path
    original_path: pathlib.Path | None = None
    original: Observation | None = None


@dataclasses.dataclass(frozen=True)
class PhotoMeasurement:
    """Measurement of one photo.

    Attributes:
      name: of the photo.
      observation: its face; None where there is none to compare.
      comparison: of a result with its original.
      pictures: see `pictures_for`; without a face only those of the whole photo.
      problems: why the photo is not measured.
    """

    name: str
    observation: Observation | None
    comparison: Comparison | None
    pictures: dict[str, np.ndarray]
    problems: list[Problem]


def measure_photo(
    observer: FaceObserver, wanted: frozenset[str], photo: PhotoToMeasure
) -> PhotoMeasurement:
    """Returns the measurement of one photo, or the reason why there is none.

    Args:
      observer: the detectors.
      wanted: names of the pictures to cut out, see `pictures_for`.
      photo: an original or a result.
    """
    try:
        image = read_photo(photo.path)
        if photo.original_path is None:
            return _measure_original(observer, wanted, photo, image)
        before = read_photo(photo.original_path)
        return _measure_result(observer, wanted, photo, image, before)
    except (PhotoError, SizeMismatchError, DegenerateFaceError) as error:
        problem = Problem(photo.name, str(error).removeprefix(f"{photo.path}: "))
        return PhotoMeasurement(photo.name, None, None, {}, [problem])


def _measure_original(
    observer: FaceObserver,
    wanted: frozenset[str],
    photo: PhotoToMeasure,
    image: np.ndarray,
) -> PhotoMeasurement:
    """An original by itself."""
    face, problems = None, []
    try:
        face = observer.original(image)
    except NothingToSeeError as error:
        problems.append(Problem(photo.name, str(error)))
    pictures = pictures_for(wanted, image, face, face)
    return PhotoMeasurement(photo.name, face, None, pictures, problems)


def _measure_result(
    observer: FaceObserver,
    wanted: frozenset[str],
    photo: PhotoToMeasure,
    image: np.ndarray,
    before: np.ndarray,
) -> PhotoMeasurement:
    """A result beside its original."""
    if before.shape != image.shape:
        sizes = [f"{x.shape[1]}x{x.shape[0]}" for x in (image, before)]
        raise SizeMismatchError(f"{sizes[0]} pixels, its original {sizes[1]}")
    face = comparison = None
    if photo.original is not None:
        face = observer.result(image, photo.original)
        similarity = background_similarity(before, image, photo.original.face_boxes)
        comparison = compare(photo.original, face, similarity)
    pictures = pictures_for(wanted, image, face, photo.original)
    return PhotoMeasurement(photo.name, face, comparison, pictures, [])
