"""Faces aligned as ArcFace's recognisers take them: five points on a template."""

import cv2
import numpy as np

from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE

SIDE = 112  # pixels, height and width
# Eye centres, nose tip, corners of the mouth. Source: insightface's face_align.
TEMPLATE_XY = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
NOSE_TIP, MOUTH_CORNERS = 30, (48, 54)


def template_crop(image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns an aligned face, uint8 [112, 112, 3]; black outside the photo.

    Args:
      image_u8: uint8 [H, W, 3].
      points_xy: float [68, 2], landmarks in pixels.

    Raises:
      DegenerateFaceError: the landmarks give no crop.
    """
    matrix = template_transform(points_xy)
    return alignment.crop_photo(image_u8, matrix, (SIDE, SIDE), cv2.BORDER_CONSTANT)


def template_transform(points_xy: np.ndarray) -> np.ndarray:
    """Returns the map from photo to crop, float64 [2, 3]: a similarity.

    It is the least median of squares over the five points: one that does not fit the
    others, as the nose tip of a face in profile, moves nothing.

    Raises:
      DegenerateFaceError: landmarks are not finite or coincide.
    """
    five = five_points(points_xy)
    if not np.isfinite(five).all():
        raise alignment.DegenerateFaceError("landmarks are not finite numbers")
    spread = np.abs(five - five.mean(0)).max()
    if spread < alignment.MIN_ANCHOR_SPREAD:
        raise alignment.DegenerateFaceError(
            f"eyes, nose and mouth are within {spread:.1f} pixels of each other, "
            f"at least {alignment.MIN_ANCHOR_SPREAD} are needed"
        )
    matrix, _ = cv2.estimateAffinePartial2D(five, TEMPLATE_XY, method=cv2.LMEDS)
    if matrix is None or not np.linalg.det(matrix[:, :2]) > 0:
        raise alignment.DegenerateFaceError("eyes, nose and mouth form no face")
    return matrix


def five_points(points_xy: np.ndarray) -> np.ndarray:
    """Returns the points of `TEMPLATE_XY` in a face, float64 [5, 2]."""
    points = np.asarray(points_xy, np.float64)
    eyes = [points[list(eye)].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)]
    return np.stack([*eyes, points[NOSE_TIP], *points[list(MOUTH_CORNERS)]])
