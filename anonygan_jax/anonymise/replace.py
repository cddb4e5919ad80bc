"""One face of an image replaced, and the result verified."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from anonygan_jax.anonymise.conditions import selector
from anonygan_jax.anonymise.crop import Crop, crop_face, paste_face
from anonygan_jax.anonymise.identity_check import (
    Distances,
    IdentityCheck,
    beyond_floor,
    least,
    passes,
)
from anonygan_jax.anonymise.results import Suggestion
from anonygan_jax.composites.attributes import attributes
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import Face
from anonygan_jax.io.worker_process import sign_of_life
from anonygan_jax.methods.blackout import Blackout
from anonygan_jax.methods.method import Method, Replacer

MAX_CONDITIONS = 5  # tried for a face


@dataclasses.dataclass(frozen=True)
class Replacement:
    """Method and condition by which a face is replaced.

    Attributes:
      method: that replaces it.
      condition: whose face is put there.
      distances: between source and result, the least of all views.
      floors: between the source and itself under a black patch, likewise.
    """

    method: Replacer
    condition: selector.SelectedCondition
    distances: Distances
    floors: Distances


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
        check: IdentityCheck,
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
        self.check = check

    def replace(
        self,
        photo: np.ndarray,
        face: Face,
        source: selector.Source,
        person: str | None,
        seed: str,
        avoided: frozenset[str] = frozenset(),
    ) -> Replacement:
        """Replaces one face of uint8 [H, W, 3], in place; see `best`.

        The photo is unchanged if an error is raised.

        Raises:
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        views = [(photo, face)]
        replacement, results = self.best(views, source, person, seed, avoided)
        photo[:] = results[0]
        return replacement

    def best(
        self,
        views: list[tuple[np.ndarray, Face]],
        source: selector.Source,
        person: str | None,
        seed: str,
        avoided: frozenset[str] = frozenset(),
    ) -> tuple[Replacement, list[np.ndarray]]:
        """Returns a replacement that passes the check, and its results.

        It is the first that is as far from the source as a black patch. For each
        condition, all methods are tried in order of preference. If none is so far, it
        is the farthest of those that pass. Others than a given person are tried only if
        none of that person passes.

        Args:
          views: images of one face, uint8 [H, W, 3]; a replacement must pass in all.
          person: whose face is tried first; None for the selector's choice.
          avoided: people whose faces are not tried if there are others.

        Raises:
          NoConditionError: no result passes, or no condition is left.
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        crops = [crop_face(photo, face, self.methods[0]) for photo, face in views]
        for crop in crops:
            crop.faces.check()
        floors = [
            self._floors(*view, source, crop)
            for view, crop in zip(views, crops, strict=True)
        ]
        farthest, best = -np.inf, None
        count = 0
        for condition in self._candidates(source, seed, person, avoided):
            for method in self.methods:
                results = [
                    self._replaced(photo, crop, method, condition)
                    for (photo, _), crop in zip(views, crops, strict=True)
                ]
                distances = [
                    self.check.distances(result, face, source.descriptors)
                    for result, (_, face) in zip(results, views, strict=True)
                ]
                sign_of_life()
                count += 1
                far = min(map(beyond_floor, distances, floors))
                if far > farthest and all(map(passes, distances, floors)):
                    made = (method, condition, least(distances), least(floors))
                    farthest, best = far, (Replacement(*made), results)
                if best and farthest >= 0:
                    return best
            if best and condition.person == person:
                return best
        if best is None:
            raise selector.NoConditionError(f"{count} results looked like the source")
        return best

    def _candidates(
        self,
        source: selector.Source,
        seed: str,
        person: str | None,
        avoided: frozenset[str],
    ) -> Iterator[selector.SelectedCondition]:
        """Conditions in the order in which they are tried.

        Raises NoConditionError if there is none.
        """
        tried: set[str] = set()
        for number in range(MAX_CONDITIONS):
            try:
                condition = self._select(source, seed, person, tried, avoided)
            except selector.NoConditionError:
                if number:
                    return
                condition = self._select(source, seed, person, tried, frozenset())
            tried.add(condition.person)
            yield condition

    def suggested(self, suggestion: Suggestion) -> Replacement:
        """Returns a suggestion of these methods as a replacement."""
        method = next(m for m in self.methods if m.name == suggestion.method)
        return Replacement(
            method, suggestion.condition, suggestion.distances, suggestion.floors
        )

    def apply(self, photo: np.ndarray, face: Face, replacement: Replacement) -> None:
        """Replaces one face of uint8 [H, W, 3] in place, without verification.

        Raises:
          MethodError, DegenerateFaceError: the face cannot be replaced.
        """
        crop = crop_face(photo, face, replacement.method)
        photo[:] = self._replaced(
            photo, crop, replacement.method, replacement.condition
        )

    def floors(
        self, photo: np.ndarray, face: Face, source: selector.Source
    ) -> Distances:
        """Returns the distances of a source to itself under a black patch.

        The patch is where new faces are put.
        """
        crop = crop_face(photo, face, self.methods[0])
        return self._floors(photo, face, source, crop)

    def _floors(
        self, photo: np.ndarray, face: Face, source: selector.Source, crop: Crop
    ) -> Distances:
        """The same, of a face that is cropped."""
        patched = photo.copy()
        paste_face(patched, Blackout()(crop.faces)[0], crop)
        return self.check.floors(patched, face, source.descriptors)

    def _replaced(
        self,
        photo: np.ndarray,
        crop: Crop,
        method: Replacer,
        condition: selector.SelectedCondition,
    ) -> np.ndarray:
        """A photo whose crop has the condition's face."""
        batch, result = self._conditions.get(condition.number), photo.copy()
        paste_face(result, method(crop.faces, batch)[0], crop)
        return result

    def _select(
        self,
        source: selector.Source,
        seed: str,
        person: str | None,
        tried: set[str],
        avoided: frozenset[str],
    ) -> selector.SelectedCondition:
        """The condition of a given person, or another one if that was tried."""
        if person and person not in tried:
            condition = self._conditions.best_face_of(person, source)
            if condition:
                return condition
        return self._conditions.select(
            source, seed, avoided | tried, prefer_dissimilar=bool(tried)
        )


def describe_source(
    photo: np.ndarray, points_xy: np.ndarray, check: IdentityCheck
) -> selector.Source:
    """Returns attributes and descriptors of a face.

    Raises:
      DegenerateFaceError: no crop can be computed from the landmarks.
    """
    matrix = alignment.celeba_transform(points_xy, alignment.CELEBA_SIZE)
    image = alignment.crop_photo(photo, matrix, alignment.CELEBA_SIZE)
    points = alignment.transform_points(matrix, points_xy)
    return selector.Source(attributes(image, points), check.describe(photo, points_xy))
