"""Photos whose faces look as composites do, for pairs of a photo with itself.

A generator that is trained to undo this learns light, teeth, grain and seams. Who it
is, is given: nothing rewards it for guessing that.
"""

import cv2
import numpy as np

from anonygan_jax.faces import alignment, warping
from anonygan_jax.faces.expression import OPEN, mouth_openness
from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE, mirrored_points

BROWS, NOSE, MOUTH = (range(17, 22), range(22, 27)), range(27, 36), range(48, 68)
PARTS = (*BROWS, NOSE, LEFT_EYE, RIGHT_EYE, MOUTH)
# Lengths are shares of the distance between the jaw's ends, 60 pixels in training.
PART_SHIFT = 0.013  # deviation of the place of each part
BLUR = (0.0, 0.012)  # deviation of the blur; turning and moving blur, too
LIGHTNESS_GAIN = (0.7, 1.2)
COLOUR_SHIFT = (18.0, 5.0, 5.0)  # deviation; L (0..255, as OpenCV's uint8), a, b
LIGHT_GRID = 3  # points a side of the light's field
LIGHT = 0.2  # deviation of its logarithm
TURN = 12.0  # degrees, deviation, of the condition as the generator sees it
ZOOM = 0.06  # deviation of the logarithm of its size
MOVE = 0.05  # of the picture's size, deviation of its place


def spoil(
    photo: np.ndarray, points_xy: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns a photo as a condition of its own, and the condition's landmarks.

    Parts of the face are a little beside the landmarks; light and colour differ, skin
    is smooth, an open mouth is dark. The picture is turned, moved and perhaps mirrored,
    so that it cannot be copied pixel by pixel.

    Args:
      photo: uint8 [H, W, 3].
      points_xy: float [68, 2], its landmarks, pixels.
      rng: of the draws.

    Returns:
      uint8 [H, W, 3]; float32 [68, 2].
    """
    width = max(float(np.linalg.norm(points_xy[16] - points_xy[0])), 1.0)
    moved = _move_parts(photo, points_xy, PART_SHIFT * width, rng)
    moved = _darken_mouth(moved, points_xy, rng)
    blurred = cv2.GaussianBlur(moved, (0, 0), max(rng.uniform(*BLUR) * width, 0.1))
    return _shown(_relight(_recolour(blurred, rng), rng), points_xy, rng)


def _move_parts(
    photo: np.ndarray, points_xy: np.ndarray, shift: float, rng: np.random.Generator
) -> np.ndarray:
    """The photo with brows, nose, eyes and mouth moved, each as a whole."""
    moved = np.array(points_xy, np.float64)
    for part in PARTS:
        moved[list(part)] += rng.normal(0, shift, 2)
    return warping.warp_face(photo, points_xy, moved, photo.shape[:2])


def _darken_mouth(
    photo: np.ndarray, points_xy: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Half of the open mouths without teeth, as `warping.open_mouth` leaves them."""
    if mouth_openness(points_xy) < OPEN or rng.random() < 0.5:
        return photo
    shut = np.array(points_xy)
    shut[65:68] = shut[[63, 62, 61]]
    return warping.open_mouth(photo, points_xy, shut)


def _recolour(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another contrast of lightness, another tone."""
    lab = cv2.cvtColor(photo, cv2.COLOR_RGB2LAB).astype(np.float32)
    middle = lab[..., 0].mean()
    lab[..., 0] = (lab[..., 0] - middle) * rng.uniform(*LIGHTNESS_GAIN) + middle
    lab += rng.normal(0, COLOUR_SHIFT)
    return cv2.cvtColor(np.rint(lab.clip(0, 255)).astype(np.uint8), cv2.COLOR_LAB2RGB)


def _relight(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another light, which changes slowly over the picture."""
    field = np.exp(rng.normal(0, LIGHT, (LIGHT_GRID, LIGHT_GRID)))
    size = (photo.shape[1], photo.shape[0])
    light = cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)
    return np.rint((photo * light[..., None]).clip(0, 255)).astype(np.uint8)


def _shown(
    photo: np.ndarray, points_xy: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The photo turned, moved, enlarged, half of the time mirrored; its landmarks."""
    height, width = photo.shape[:2]
    if rng.random() < 0.5:
        photo = np.ascontiguousarray(photo[:, ::-1])
        points_xy = mirrored_points(points_xy, width)
    matrix = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2),
        rng.normal(0, TURN),
        float(np.exp(rng.normal(0, ZOOM))),
    )
    matrix[:, 2] += rng.normal(0, MOVE, 2) * np.array([width, height])
    shown = cv2.warpAffine(
        photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    return shown, alignment.transform_points(matrix, points_xy).astype(np.float32)
