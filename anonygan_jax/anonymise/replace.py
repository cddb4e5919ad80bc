"""One face of an image replaced, and the result verified."""

import dataclasses

import numpy as np

from anonygan_jax.anonymise.conditions import selector
from anonygan_jax.anonymise.crop import Crop, crop_face, paste_face
from anonygan_jax.composites.attributes import attributes
from anonygan_jax.detection.detector import Landmarker
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import Face
from anonygan_jax.methods.method import Method, Replacer
from anonygan_jax.recognition.dlib import DlibDescriptor
from anonygan_jax.recognition.thresholds import MIN_RESULT_DISTANCE

SAME_SHAPE = 0.03  # of the face's width; landmarks nearer give the same descriptor
MAX_CONDITIONS = 5  # tried for a face before it is pixelated


@dataclasses.dataclass(frozen=True)
class Replacement:
    """Method and condition by which a face is replaced.

    Attributes:
      method: that replaces it.
      condition: whose face is put there.
      descriptor_distance: between source and result, the least of all views.
    """

    method: Replacer
    condition: selector.SelectedCondition
    descriptor_distance: float


def obfuscate(photo: np.ndarray, face: Face, method: Method) -> None:
    """Hides one face of uint8 [H, W, 3] in place, by an obfuscator.

    Raises:
      MethodError, DegenerateFaceError: the face cannot be hidden.
    """
    assert not isinstance(method, Replacer)
    crop = crop_face(photo, face, method)
    paste_face(photo, method(crop.faces)[0], crop)


class FaceReplacer:
    """Replaces faces, and verifies that results do not look like their sources."""

    def __init__(
        self,
        methods: tuple[Replacer, ...],
        conditions: selector.ConditionSelector,
        describe: DlibDescriptor,
        landmarker: Landmarker,
    ) -> None:
        """Takes what replaces and what verifies.

        Raises:
          ValueError: the methods take different crops or conditions.
        """
        if len({(m.region, m.crop_size, m.num_classes) for m in methods}) > 1:
            names = ", ".join(method.name for method in methods)
            raise ValueError(f"{names}: take different crops or conditions")
        self.methods = methods
        self._conditions = conditions
        self._describe = describe
        self._landmarker = landmarker

    def replace(
        self,
        photo: np.ndarray,
        face: Face,
        source: selector.Source,
        person: str | None,
        seed: str,
    ) -> Replacement:
        """Replaces one face of uint8 [H, W, 3], in place.

        The photo is unchanged if an error is raised.

        Raises:
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        views = [(photo, face)]
        replacement, results = self.first_passing(views, source, person, seed)
        photo[:] = results[0]
        return replacement

    def first_passing(
        self,
        views: list[tuple[np.ndarray, Face]],
        source: selector.Source,
        person: str | None,
        seed: str,
    ) -> tuple[Replacement, list[np.ndarray]]:
        """Returns the first replacement that passes verification, and its results.

        For each condition, all methods are tried in order of preference. The next
        condition is tried if none passes.

        Args:
          views: images of one face, uint8 [H, W, 3]; a replacement must pass in all.
          person: whose face is tried first; None for the selector's choice.

        Raises:
          NoConditionError: no result passes, or no condition is left.
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        crops = [crop_face(photo, face, self.methods[0]) for photo, face in views]
        for crop in crops:
            crop.faces.check()
        tried: set[str] = set()
        for _ in range(MAX_CONDITIONS):
            condition = self._select(source, seed, person, tried)
            for method in self.methods:
                results = [photo.copy() for photo, _ in views]
                for result, crop in zip(results, crops, strict=True):
                    self._replace(result, crop, method, condition)
                distance = min(
                    self.distance(result, face, source)
                    for result, (_, face) in zip(results, views, strict=True)
                )
                if passes(distance):
                    return Replacement(method, condition, distance), results
            tried.add(condition.person)
        count = len(tried) * len(self.methods)
        raise selector.NoConditionError(f"{count} results looked like the source")

    def apply(self, photo: np.ndarray, face: Face, replacement: Replacement) -> None:
        """Replaces one face of uint8 [H, W, 3] in place, without verification.

        Raises:
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        crop = crop_face(photo, face, replacement.method)
        self._replace(photo, crop, replacement.method, replacement.condition)

    def distance(
        self, result: np.ndarray, face: Face, source: selector.Source
    ) -> float:
        """Returns the descriptor distance between a source and the face in a result.

        Landmarks are searched anew in the result. If they differ from the source's, the
        smaller of both distances is returned.
        """
        found = self._landmarker.points(result, face.box_xyxy)
        shapes = [face.points_xy]
        if found is not None and _differ(found, face.points_xy):
            shapes.append(found)
        apart = [self._describe(result, shape) - source.descriptor for shape in shapes]
        return float(min(np.linalg.norm(apart, axis=-1)))

    def _replace(
        self,
        photo: np.ndarray,
        crop: Crop,
        method: Replacer,
        condition: selector.SelectedCondition,
    ) -> None:
        """Pastes a crop with the condition's face, in place."""
        batch = self._conditions.get(condition.number)
        paste_face(photo, method(crop.faces, batch)[0], crop)

    def _select(
        self, source: selector.Source, seed: str, person: str | None, tried: set[str]
    ) -> selector.SelectedCondition:
        """The condition of a given person, or another one if that was tried."""
        if person and person not in tried:
            condition = self._conditions.best_face_of(person, source)
            if condition:
                return condition
        return self._conditions.select(
            source, seed, frozenset(tried), prefer_dissimilar=bool(tried)
        )


def passes(distance: float) -> bool:
    """Returns whether a result is far enough from its source; see `distance`."""
    return distance >= MIN_RESULT_DISTANCE


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two shapes are so far apart that descriptors may differ."""
    apart = np.linalg.norm(a - b, axis=-1).mean()
    return bool(apart > SAME_SHAPE * np.ptp(b[:, 0]))


def describe_source(
    photo: np.ndarray, points_xy: np.ndarray, describe: DlibDescriptor
) -> selector.Source:
    """Returns attributes and descriptor of a face.

    Raises:
      DegenerateFaceError: no crop can be computed from the landmarks.
    """
    matrix = alignment.celeba_transform(points_xy, alignment.CELEBA_SIZE)
    image = alignment.crop_photo(photo, matrix, alignment.CELEBA_SIZE)
    points = alignment.transform_points(matrix, points_xy)
    return selector.Source(attributes(image, points), describe(photo, points_xy))
