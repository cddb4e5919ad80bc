"""Photo in, photo out: every face found is hidden, or covered if it cannot be."""

import dataclasses

import cv2
import jax.numpy as jnp
import numpy as np

from anonygan_jax.anonymise.conditions import (
    AUTO,
    Choice,
    Conditions,
    NoConditionError,
    People,
    Source,
    load_conditions,
)
from anonygan_jax.anonymise.finding import FaceFinder
from anonygan_jax.anonymise.traits import traits
from anonygan_jax.data import crops
from anonygan_jax.data.descriptors import DlibDescriptor
from anonygan_jax.data.landmarks import Face
from anonygan_jax.data.masks import face_mask
from anonygan_jax.methods import Faces, Method, MethodError

CROP_SCALES = (0.5, 1.0, 2.0, 4.0)  # of CelebA's frame; few, so that little compiles
COVER_CELLS = 6  # cells across a covered face
COVER_MARGIN = 0.3  # of the face's size, added on each side of what is covered
LOOKS_ALIKE = 0.62  # a result nearer to its source is made anew; dlib's limit is 0.6
MAX_ATTEMPTS = 5  # conditions tried for a face before it is covered
NO_LANDMARKS = "found, but without landmarks"
PERSON, FACE = "person", "face"


class NoFaceError(ValueError):
    """A photo in which no face was found."""


@dataclasses.dataclass(frozen=True)
class FaceReport:
    """What happened to one face.

    Attributes:
      box_xyxy: where it is, pixels.
      condition: file name of the face put there, if one was.
      descriptor_distance: between source and result, where a condition was used; at
        most 0.6 would mean one person.
      covered_because: why the method could not hide it; None where it did.
    """

    box_xyxy: tuple[int, ...]
    condition: str | None
    descriptor_distance: float | None
    covered_because: str | None


@dataclasses.dataclass(frozen=True)
class Crop:
    """A face framed for the method: what it gets, and the map back."""

    faces: Faces
    matrix: np.ndarray


class Anonymiser:
    """Hides the faces of photos by one method, with a bank of conditions."""

    def __init__(
        self,
        method: Method,
        condition: str = AUTO,
        consistent: str = PERSON,
        match_group: bool = True,
    ) -> None:
        """Loads detector and conditions.

        Args:
          method: from `anonygan_jax.methods.make_method`.
          condition: "auto", a bank's folder or the path of a photo.
          consistent: "person", who keeps one face through all photos, or "face", which
            is drawn anew in each.
          match_group: prefer conditions of the source's apparent gender and age.

        Raises:
          LandmarksUnavailable, BankError, ConditionError, PhotoError: what is missing
            or unusable.
        """
        self._method = method
        self._find = FaceFinder()
        self._describe = DlibDescriptor()
        bank = load_conditions(condition, self._find.landmarks, self._describe)
        self._conditions = Conditions(bank, match_group)
        self._people = People() if consistent == PERSON else None

    def __call__(
        self, photo: np.ndarray, seed: str = ""
    ) -> tuple[np.ndarray, list[FaceReport]]:
        """Returns the photo with all its faces hidden, and what happened to each.

        Args:
          photo: uint8 [H, W, 3] RGB.
          seed: which of the fitting conditions is drawn depends on it.

        Raises:
          NoFaceError: no face was found; the photo may still show one.
        """
        faces, boxes_alone = self._find(photo)
        if not faces and not boxes_alone:
            height, width = photo.shape[:2]
            raise NoFaceError(f"no face found in {width}x{height} pixels")
        result, reports = photo.copy(), []
        for number, face in enumerate(faces):
            box = tuple(int(v) for v in face.box_xyxy)
            try:
                name, distance = self._hide(photo, result, face, f"{seed}#{number}")
                reports.append(FaceReport(box, name, distance, None))
            except Exception as error:  # whatever fails, no face may stay as it was
                cover_face(result, face)
                reports.append(FaceReport(box, None, None, _reason(error)))
        for face in boxes_alone:
            cover_face(result, face)
            box = tuple(int(v) for v in face.box_xyxy)
            reports.append(FaceReport(box, None, None, NO_LANDMARKS))
        return result, reports

    def _hide(
        self, photo: np.ndarray, result: np.ndarray, face: Face, seed: str
    ) -> tuple[str | None, float | None]:
        """Hides one face of `photo` in `result`; condition and descriptor distance."""
        crop = self._crop(photo, face)
        name, distance = None, None
        if self._method.uses_conditions:
            hidden, name, distance = self._replace(photo, face, crop, seed)
        else:
            hidden = self._method(crop.faces, None)[0]
        alpha = feather(crop.faces.masks[0])
        result[:] = crops.paste_crop(result, hidden, alpha, crop.matrix)
        return name, distance

    def _crop(self, photo: np.ndarray, face: Face) -> Crop:
        """A face at the size that the method takes, or at the photo's resolution."""
        size = self._method.crop_size or native_size(face.points_xy)
        matrix = crops.celeba_transform(face.points_xy, size)
        points = crops.transform_points(matrix, face.points_xy)[None]
        mask = np.asarray(face_mask(jnp.asarray(points), size))[..., 0]
        image = crops.crop_photo(photo, matrix, size)
        return Crop(Faces(image[None], points, mask), matrix)

    def _replace(
        self, photo: np.ndarray, face: Face, crop: Crop, seed: str
    ) -> tuple[np.ndarray, str, float]:
        """The crop with another face, its name and how far it is from the source.

        A result that still looks like the source is made anew of another condition.
        """
        image, points = crop.faces.images[0], crop.faces.points_xy[0]
        crop.faces.check()
        descriptor = self._describe(photo, face.points_xy)
        source = Source(traits(image, points), descriptor)
        known = self._people.recall(descriptor) if self._people else None
        tried: set[str] = set()
        for _ in range(MAX_ATTEMPTS):
            choice = self._choose(source, seed, known, tried)
            condition = self._conditions.get(choice.number)
            hidden = self._method(crop.faces, condition)[0]
            distance = np.linalg.norm(self._describe(hidden, points) - descriptor)
            if distance >= LOOKS_ALIKE:
                if self._people and known is None:
                    self._people.remember(descriptor, choice.person)
                return hidden, choice.name, float(distance)
            tried.add(choice.person)
        raise NoConditionError(f"{len(tried)} results looked like the source")

    def _choose(
        self,
        source: Source,
        seed: str,
        known: str | None,
        tried: set[str],
    ) -> Choice:
        """The condition that a person had before, or a new one."""
        if known and known not in tried:
            choice = self._conditions.choose_of(known, source)
            if choice:
                return choice
        return self._conditions.choose(
            source, seed, frozenset(tried), distinct=bool(tried)
        )


def _reason(error: Exception) -> str:
    """Why a face was covered; faults of ours and of libraries with their kind."""
    expected = isinstance(error, crops.DegenerateFaceError | MethodError)
    return str(error) if expected else f"{type(error).__name__}: {error}"


def native_size(points_xy: np.ndarray) -> tuple[int, int]:
    """Returns the smallest of a few crop sizes that keeps the photo's resolution."""
    matrix = crops.celeba_transform(points_xy, crops.CELEBA_SIZE)
    finer = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    scale = next((s for s in CROP_SCALES if s >= finer), CROP_SCALES[-1])
    height, width = crops.CELEBA_SIZE
    return round(height * scale), round(width * scale)


def feather(mask: np.ndarray) -> np.ndarray:
    """Returns float32 [H, W]: 1 all over the mask, falling to 0 outside it.

    The fall lies outside, so that nothing of the hidden face shines through.
    """
    wider = cv2.dilate(mask.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.maximum(cv2.GaussianBlur(wider, (0, 0), 1.0), mask)


def cover_face(photo: np.ndarray, face: Face) -> None:
    """Pixelates a face in place, box and landmarks with a margin."""
    finite = face.points_xy[np.isfinite(face.points_xy).all(-1)]
    corners = np.concatenate([finite, face.box_xyxy.reshape(2, 2)])
    low, high = corners.min(0), corners.max(0)
    margin = COVER_MARGIN * (high - low)
    limit = np.array(photo.shape[1::-1])
    left, top = np.clip(low - margin, 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high + margin) + 1, 0, limit).astype(int)
    region = photo[top:bottom, left:right]
    if region.size:
        rows = max(1, round(COVER_CELLS * region.shape[0] / region.shape[1]))
        cells = cv2.resize(region, (COVER_CELLS, rows), interpolation=cv2.INTER_AREA)
        size = (region.shape[1], region.shape[0])
        region[:] = cv2.resize(cells, size, interpolation=cv2.INTER_NEAREST)
