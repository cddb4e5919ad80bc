"""Faces cropped for a method, and results pasted back."""

import dataclasses

import cv2
import numpy as np

from anonygan_jax.faces import alignment, blending
from anonygan_jax.faces.face import Face
from anonygan_jax.faces.masks import face_mask, mask_polygon
from anonygan_jax.methods.method import Faces, Method, MethodError

CROP_SCALES = (0.5, 1.0, 2.0, 4.0)  # of CelebA's frame; few, so that little compiles
INNER = slice(27, 68)  # landmarks of nose, eyes and mouth
# Of the face's longer side, by which one may be outside the region. Of 600 faces of LFW
# six are: profiles from 45 degrees of yaw, whose nose and lips a method would leave.
MAX_OUTSIDE = 0.02


@dataclasses.dataclass(frozen=True)
class Crop:
    """A face cropped for a method.

    Attributes:
      faces: the crop, a batch of one.
      matrix: the map from image to crop.
    """

    faces: Faces
    matrix: np.ndarray


def crop_face(photo: np.ndarray, face: Face, method: Method) -> Crop:
    """Returns a face at the size that a method takes, or at the photo's resolution.

    Raises:
      MethodError: nose, eyes or mouth are outside the region that the method hides.
      DegenerateFaceError: no crop can be computed from the landmarks.
    """
    size = method.crop_size or native_size(face.points_xy)
    matrix = alignment.celeba_transform(face.points_xy, size)
    points = alignment.transform_points(matrix, face.points_xy)[None]
    _check_inside(points[0], method.region)
    masks = face_mask(points, size, method.region)
    image = alignment.crop_photo(photo, matrix, size)
    return Crop(Faces(image[None], points, masks), matrix)


def _check_inside(points_xy: np.ndarray, region: str) -> None:
    """Accepts landmarks in an upright crop whose inner ones are inside a region."""
    polygon = np.asarray(mask_polygon(points_xy, region), np.float32)
    inside = min(
        cv2.pointPolygonTest(polygon, (float(x), float(y)), True)
        for x, y in points_xy[INNER]
    )
    if inside < -MAX_OUTSIDE * float(np.ptp(points_xy, axis=0).max()):
        raise MethodError("a profile: nose, eyes or mouth are outside what is replaced")


def paste_face(photo: np.ndarray, result: np.ndarray, crop: Crop) -> None:
    """Pastes a method's result, uint8 [h, w, 3], where the crop was taken, in place."""
    alignment.paste_crop(photo, result, feather(crop.faces), crop.matrix)


def native_size(points_xy: np.ndarray) -> tuple[int, int]:
    """Returns the smallest of a few crop sizes that keeps the photo's resolution."""
    matrix = alignment.celeba_transform(points_xy, alignment.CELEBA_SIZE)
    finer = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    scale = next((s for s in CROP_SCALES if s >= finer), CROP_SCALES[-1])
    height, width = alignment.CELEBA_SIZE
    return round(height * scale), round(width * scale)


def feather(faces: Faces) -> np.ndarray:
    """Returns weights for pasting one face, float32 [H, W].

    They are 1 inside the mask and wherever a new face is blended outside it, and fall
    to 0 beyond.
    """
    faded = blending.feather_alpha(faces.masks[0], faces.points_xy[0]) > 0
    wider = cv2.dilate(faded.astype(np.float32), np.ones((5, 5), np.uint8))
    return np.maximum(cv2.GaussianBlur(wider, (0, 0), 1.0), faded)
