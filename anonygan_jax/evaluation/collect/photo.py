"""One photo as detectors, recognisers and the networks see it."""

import dataclasses
import pathlib

import numpy as np

from anonygan_jax.evaluation.collect.comparison import (
    Comparison,
    compare,
    outside_similarity,
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


class UnlikeError(ValueError):
    """A result that is not of its original's size."""


@dataclasses.dataclass(frozen=True)
class Task:
    """A photo to look at; a result when it has an original.

    Attributes:
      name: of original and result, without suffix.
      path: the photo's.
      original_path, original: of a result; the latter None where no face was found.
    """

    name: str
    path: pathlib.Path
    original_path: pathlib.Path | None = None
    original: Observation | None = None


@dataclasses.dataclass(frozen=True)
class Sighting:
    """What a worker saw in a photo; without a face only `pictures` of the whole."""

    name: str
    seen: Observation | None
    comparison: Comparison | None
    pictures: dict[str, np.ndarray]
    problems: list[Problem]


def look(observer: FaceObserver, wanted: frozenset[str], task: Task) -> Sighting:
    """Returns what is seen in one photo, or why nothing is.

    Args:
      observer: the detectors.
      wanted: pictures to cut out, see `pictures`.
      task: the photo.
    """
    try:
        image = read_photo(task.path)
        if task.original_path is None:
            return _look_at_original(observer, wanted, task, image)
        before = read_photo(task.original_path)
        return _look_at_result(observer, wanted, task, image, before)
    except (PhotoError, UnlikeError, DegenerateFaceError) as error:
        problem = Problem(task.name, str(error).removeprefix(f"{task.path}: "))
        return Sighting(task.name, None, None, {}, [problem])


def _look_at_original(
    observer: FaceObserver, wanted: frozenset[str], task: Task, image: np.ndarray
) -> Sighting:
    """A photo by itself."""
    seen, problems = None, []
    try:
        seen = observer.original(image)
    except NothingToSeeError as error:
        problems.append(Problem(task.name, str(error)))
    pictures = pictures_for(wanted, image, seen, seen)
    return Sighting(task.name, seen, None, pictures, problems)


def _look_at_result(
    observer: FaceObserver,
    wanted: frozenset[str],
    task: Task,
    image: np.ndarray,
    before: np.ndarray,
) -> Sighting:
    """A photo beside its original."""
    if before.shape != image.shape:
        sizes = [f"{x.shape[1]}x{x.shape[0]}" for x in (image, before)]
        raise UnlikeError(f"{sizes[0]} pixels, its original {sizes[1]}")
    seen = comparison = None
    if task.original is not None:
        seen = observer.result(image, task.original)
        context = outside_similarity(before, image, task.original.face_boxes)
        comparison = compare(task.original, seen, context)
    pictures = pictures_for(wanted, image, seen, task.original)
    return Sighting(task.name, seen, comparison, pictures, [])
