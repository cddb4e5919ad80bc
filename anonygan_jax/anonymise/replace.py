"""One face of a photo hidden: framed, replaced, pasted, verified, or covered."""

import dataclasses
from collections.abc import Callable

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.anonymise.conditions.selector import (
    ConditionSelector,
    NoConditionError,
    SelectedCondition,
    Source,
)
from anonygan_jax.composites.attributes import attributes
from anonygan_jax.detection import Landmarker
from anonygan_jax.faces import alignment, blending
from anonygan_jax.faces.face import Face
from anonygan_jax.faces.masks import face_mask
from anonygan_jax.methods import Auto, Faces, Method
from anonygan_jax.recognition.dlib import DlibDescriptor

CROP_SCALES = (0.5, 1.0, 2.0, 4.0)  # of CelebA's frame; few, so that little compiles
MIN_RESULT_DISTANCE = (
    0.62  # a result nearer to its source is made anew; dlib's limit is 0.6
)
SAME_SHAPE = 0.03  # of the face's width; landmarks nearer give the same descriptor
MAX_ATTEMPTS = 5  # conditions tried for a face before it is pixelated

_masks = jax.jit(face_mask, static_argnums=(1, 2))


@dataclasses.dataclass(frozen=True)
class Crop:
    """A face framed for the method: what it gets, and the map back."""

    faces: Faces
    matrix: np.ndarray


@dataclasses.dataclass(frozen=True)
class Replacement:
    """A face that was hidden by the method.

    Attributes:
      method: what hid it.
      condition: the face put there, if one was.
      descriptor_distance: between source and result, where that was verified.
    """

    method: Method

    condition: SelectedCondition | None
    descriptor_distance: float | None


class FaceReplacer:
    """Hides faces by a method, with conditions of a bank.

    Attributes:
      method: that is wanted.
    """

    def __init__(
        self,
        method: Method,
        conditions: ConditionSelector,
        describe: DlibDescriptor,
        landmarker: Landmarker,
    ) -> None:
        """Keeps what it is given."""
        self.method = method
        self._methods = method.methods if isinstance(method, Auto) else (method,)
        self._conditions = conditions
        self._describe = describe
        self._landmarker = landmarker

    def hide(
        self,
        photo: np.ndarray,
        face: Face,
        source: Source | None,
        person: str | None,
        seed: str,
    ) -> Replacement:
        """Hides one face of uint8 [H, W, 3], in place.

        Where the method uses conditions, a result that still looks like the source is
        made anew of another. The photo stays as it was if something is raised.

        Args:
          photo: changed.
          face: with landmarks.
          source: what the choice of a condition depends on, where one is used.
          person: whose face to put there first; None for whoever fits.
          seed: of the choice.

        Raises:
          MethodError, DegenerateFaceError: the face cannot be hidden.
        """
        crop = self.crop(photo, face)
        if not self.method.uses_conditions:
            self._paste(photo, self.method(crop.faces, None)[0], crop)
            return Replacement(self.method, None, None)
        if source is None:
            raise NoConditionError("nothing is known of the face to choose by")
        crop.faces.check()
        attempt = photo.copy()

        def distance_with(method: Method, choice: SelectedCondition) -> float:
            attempt[:] = photo
            self.replace(attempt, crop, method, choice.number)
            return self.distance(attempt, face, source.descriptor)

        replaced = self.first_passing(source, person, seed, distance_with)
        photo[:] = attempt
        return replaced

    def first_passing(
        self,
        source: Source,
        person: str | None,
        seed: str,
        distance_with: Callable[[Method, SelectedCondition], float],
    ) -> Replacement:
        """Returns method and condition whose result does not look like the source.

        Of several methods the next is tried with the same condition first.

        Args:
          source: what the choice depends on.
          person: whose face to try first; None for whoever fits.
          seed: of the choice.
          distance_with: tries both; how far the result is from the source.

        Raises:
          NoConditionError: of several conditions every result looks like the source,
            or nobody is left.
        """
        tried: set[str] = set()
        for _ in range(MAX_ATTEMPTS):
            choice = self._choose(source, seed, person, tried)
            for method in self._methods:
                distance = distance_with(method, choice)
                if distance >= MIN_RESULT_DISTANCE:
                    return Replacement(method, choice, distance)
            tried.add(choice.person)
        count = len(tried) * len(self._methods)
        raise NoConditionError(f"{count} results looked like the source")

    def crop(self, photo: np.ndarray, face: Face) -> Crop:
        """Returns a face at the size that the method takes, or at the photo's."""
        size = self.method.crop_size or native_size(face.points_xy)
        matrix = alignment.celeba_transform(face.points_xy, size)
        points = alignment.transform_points(matrix, face.points_xy)[None]
        masks = _masks(jnp.asarray(points), size, self.method.region)
        mask = np.asarray(masks)[..., 0]
        image = alignment.crop_photo(photo, matrix, size)
        return Crop(Faces(image[None], points, mask), matrix)

    def replace(
        self, photo: np.ndarray, crop: Crop, method: Method, condition: int
    ) -> None:
        """Puts the face of a condition where the crop was taken, in place."""
        hidden = method(crop.faces, self._conditions.get(condition))[0]
        self._paste(photo, hidden, crop)

    def distance(self, photo: np.ndarray, face: Face, descriptor: np.ndarray) -> float:
        """Returns how far the face in a photo is from a descriptor.

        It is looked for anew; the nearer counts of what is found and of what the
        source's landmarks show, where those differ.
        """
        found = self._landmarker.points(photo, face.box_xyxy)
        shapes = [face.points_xy]
        if found is not None and _differ(found, face.points_xy):
            shapes.append(found)
        apart = [self._describe(photo, shape) - descriptor for shape in shapes]
        return float(min(np.linalg.norm(apart, axis=-1)))

    def _paste(self, photo: np.ndarray, hidden: np.ndarray, crop: Crop) -> None:
        alignment.paste_crop(photo, hidden, feather(crop.faces), crop.matrix)

    def _choose(
        self, source: Source, seed: str, person: str | None, tried: set[str]
    ) -> SelectedCondition:
        """The condition of a given person, or a new one."""
        if person and person not in tried:
            choice = self._conditions.best_face_of(person, source)
            if choice:
                return choice
        return self._conditions.select(
            source, seed, frozenset(tried), prefer_dissimilar=bool(tried)
        )


def _differ(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two shapes are so far apart that descriptors may differ."""
    apart = np.linalg.norm(a - b, axis=-1).mean()
    return bool(apart > SAME_SHAPE * np.ptp(b[:, 0]))


def describe_source(
    photo: np.ndarray, points_xy: np.ndarray, describe: DlibDescriptor
) -> Source:
    """Returns what the choice of a condition depends on.

    Raises:
      DegenerateFaceError: landmarks of which no crop can be made.
    """
    matrix = alignment.celeba_transform(points_xy, alignment.CELEBA_SIZE)
    image = alignment.crop_photo(photo, matrix, alignment.CELEBA_SIZE)
    points = alignment.transform_points(matrix, points_xy)
    return Source(attributes(image, points), describe(photo, points_xy))


def native_size(points_xy: np.ndarray) -> tuple[int, int]:
    """Returns the smallest of a few crop sizes that keeps the photo's resolution."""
    matrix = alignment.celeba_transform(points_xy, alignment.CELEBA_SIZE)
    finer = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    scale = next((s for s in CROP_SCALES if s >= finer), CROP_SCALES[-1])
    height, width = alignment.CELEBA_SIZE
    return round(height * scale), round(width * scale)


def feather(faces: Faces) -> np.ndarray:
    """Returns float32 [H, W]: 1 all over the one face's mask, falling to 0 outside it.

    It is 1 wherever a new face fades outside the mask, too.
    """
    faded = blending.feather_alpha(faces.masks[0], faces.points_xy[0]) > 0
    wider = cv2.dilate(faded.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.maximum(cv2.GaussianBlur(wider, (0, 0), 1.0), faded)
