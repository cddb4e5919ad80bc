"""Photo in, photo out: every face found is hidden, or covered if it cannot be."""

import dataclasses

import cv2
import jax.numpy as jnp
import numpy as np

from anonygan_jax.anonymise.conditions import AUTO, load_conditions
from anonygan_jax.data import crops
from anonygan_jax.data.descriptors import DlibDescriptor
from anonygan_jax.data.landmarks import DlibLandmarks, Face
from anonygan_jax.data.masks import face_mask
from anonygan_jax.methods import Faces, Method, MethodError

CROP_SCALES = (0.5, 1.0, 2.0, 4.0)  # of CelebA's frame; few, so that little compiles
COVER_CELLS = 6  # cells across a covered face
COVER_MARGIN = 0.3  # of the face's size, added on each side of what is covered


class NoFaceError(ValueError):
    """A photo in which no face was found."""


@dataclasses.dataclass(frozen=True)
class FaceReport:
    """What happened to one face.

    Attributes:
      box_xyxy: where it is, pixels.
      condition: name of the face put there, if one was.
      covered_because: why the method could not hide it; None where it did.
    """

    box_xyxy: tuple[int, ...]
    condition: str | None
    covered_because: str | None


class Anonymiser:
    """Hides the faces of photos by one method, with a set of conditions."""

    def __init__(self, method: Method, condition: str = AUTO) -> None:
        """Loads detector and conditions.

        Args:
          method: from `anonygan_jax.methods.make_method`.
          condition: "auto" or the path of a photo.

        Raises:
          LandmarksUnavailable, ConditionError, PhotoError: what is missing or unusable.
        """
        self._method = method
        self._detector = DlibLandmarks()
        self._describe = DlibDescriptor()
        self._conditions = load_conditions(condition, self._detector, self._describe)

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
        faces = self._detector.detect(photo, num_upsamples=1)
        if not faces:
            height, width = photo.shape[:2]
            raise NoFaceError(f"no face found in {width}x{height} pixels")
        result, reports = photo.copy(), []
        for number, face in enumerate(faces):
            box = tuple(int(v) for v in face.box_xyxy)
            try:
                name = self._hide(photo, result, face, f"{seed}#{number}")
                reports.append(FaceReport(box, name, None))
            except (crops.DegenerateFaceError, MethodError) as error:
                cover_face(result, face)
                reports.append(FaceReport(box, None, str(error)))
        return result, reports

    def _hide(
        self, photo: np.ndarray, result: np.ndarray, face: Face, seed: str
    ) -> str | None:
        """Hides one face of `photo` in `result`; the name of the condition used."""
        size = self._method.crop_size or native_size(face.points_xy)
        matrix = crops.celeba_transform(face.points_xy, size)
        points = crops.transform_points(matrix, face.points_xy)[None]
        mask = np.asarray(face_mask(jnp.asarray(points), size))[..., 0]
        source = Faces(crops.crop_photo(photo, matrix, size)[None], points, mask)
        condition, name = None, None
        if self._method.uses_conditions:
            chosen = self._choose(photo, face, seed)
            condition = self._conditions.get(chosen)
            name = self._conditions.names[chosen]
        hidden = self._method(source, condition)[0]
        result[:] = crops.paste_crop(result, hidden, feather(mask[0]), matrix)
        return name

    def _choose(self, photo: np.ndarray, face: Face, seed: str) -> int:
        """The number of the condition for a face."""
        frame = crops.celeba_transform(face.points_xy, self._conditions.size)
        points = crops.transform_points(frame, face.points_xy)
        descriptor = self._describe(photo, face.points_xy)
        return self._conditions.choose(points, descriptor, seed)


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
