"""Measurement of one photo: detectors, recognisers, and pictures for the networks."""

import dataclasses
import pathlib

import cv2
import numpy as np

from anonygan_jax.evaluation.collect.comparison import (
    Comparison,
    background_similarity,
    compare,
)
from anonygan_jax.evaluation.collect.folders import Problem
from anonygan_jax.evaluation.collect.inputs import pictures_for
from anonygan_jax.evaluation.collect.observation import FaceObserver, Observation
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.io.photos import PhotoError, read_photo


class SizeMismatchError(ValueError):
    """A result that has not the size of its original."""


@dataclasses.dataclass(frozen=True)
class PhotoToMeasure:
    """A photo to measure; a result where it has an original.

    Attributes:
      name: of original and result, without suffix.
      original_path: of a result's original.
      original: of a result, the face in its original; None where none is detected.
      patch_xy: float [P, 2], corners of what is painted black before it is measured.
    """

    name: str
    path: pathlib.Path
    original_path: pathlib.Path | None = None
    original: Observation | None = None
    patch_xy: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class PhotoMeasurement:
    """Measurement of one photo.

    Attributes:
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


def black_patch(image: np.ndarray, corners_xy: np.ndarray) -> np.ndarray:
    """Returns a photo, uint8 [H, W, 3], with a black polygon, float [P, 2]."""
    patched = np.ascontiguousarray(image).copy()
    cv2.fillPoly(patched, [np.rint(corners_xy).astype(np.int32)], (0, 0, 0))
    return patched


def measure_photo(
    observer: FaceObserver, photo: PhotoToMeasure, wanted: frozenset[str]
) -> PhotoMeasurement:
    """Returns the measurement of one photo, or the reason why there is none."""
    face = comparison = None
    problems = []
    try:
        image, original = read_photo(photo.path), photo.original
        if photo.patch_xy is not None:
            image = black_patch(image, photo.patch_xy)
        if photo.original_path is None:
            face = original = observer.original(image)
            if face is None:
                problems = [Problem(photo.name, "no face found in the original")]
        else:
            before = read_photo(photo.original_path)
            if before.shape != image.shape:
                sizes = [f"{x.shape[1]}x{x.shape[0]}" for x in (image, before)]
                raise SizeMismatchError(f"{sizes[0]} pixels, its original {sizes[1]}")
            if original is not None:
                face = observer.result(image, original)
                similarity = background_similarity(before, image, original.face_boxes)
                comparison = compare(original, face, similarity)
        pictures = pictures_for(wanted, image, face, original)
        return PhotoMeasurement(photo.name, face, comparison, pictures, problems)
    except (PhotoError, SizeMismatchError, DegenerateFaceError) as error:
        problem = Problem(photo.name, str(error).removeprefix(f"{photo.path}: "))
        return PhotoMeasurement(photo.name, None, None, {}, [problem])
