"""A detected face and the indices of its 68 landmarks (iBUG 300-W order)."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

NUM_LANDMARKS = 68
JAW = tuple(range(0, 17))
LEFT_EYE = tuple(range(36, 42))  # left in the picture
RIGHT_EYE = tuple(range(42, 48))
OUTER_EYE_CORNERS = (36, 45)
# The reduced set of the paper's 29-point rows: jaw, nose bridge, inner lips.
REDUCED_29 = JAW + tuple(range(27, 31)) + tuple(range(60, 68))


def _mirrored_landmarks() -> np.ndarray:
    """Which landmark takes the place of each in a mirror, int [68]."""
    order = np.arange(NUM_LANDMARKS)
    # Jaw, both brows, nostrils; upper and lower outer lips, upper and lower inner ones.
    runs = ((0, 17), (17, 27), (31, 36), (48, 55), (55, 60), (60, 65), (65, 68))
    for start, stop in runs:
        order[start:stop] = order[start:stop][::-1]
    # Eyes: upper lids from corner to corner, then lower lids.
    order[[36, 37, 38, 39, 42, 43, 44, 45]] = [45, 44, 43, 42, 39, 38, 37, 36]
    order[[40, 41, 46, 47]] = [47, 46, 41, 40]
    return order


MIRRORED = _mirrored_landmarks()


def mirrored_points(points_xy: Any, width: int) -> Any:
    """Returns float [..., 68, 2]: the landmarks in the mirrored image, in their order.

    Args:
      points_xy: float [..., 68, 2], of numpy or JAX.
      width: of the image, pixels.
    """
    # A left eye is a right eye then.
    moved = points_xy[..., MIRRORED, :] * np.array([-1, 1], np.float32)
    return moved + np.array([width - 1, 0], np.float32)


@dataclasses.dataclass(frozen=True)
class Face:
    """One detected face.

    Attributes:
      points_xy: float32 [68, 2], pixels from the centre of the top-left pixel; points
        may be outside the photo. [0, 2] where no landmarks were found.
      box_xyxy: float32 [4], the detector's box: left, top, right, bottom.
      score: the detector's confidence; above 0, larger is more certain, no fixed range.
      roll: the detector's, radians clockwise; 0 of detectors that find none.
    """

    points_xy: Float[np.ndarray, "K 2"]
    box_xyxy: Float[np.ndarray, "4"]
    score: float
    roll: float = 0.0


def main_face(faces: list[Face], image_shape: tuple[int, ...]) -> Face:
    """Returns the main face of a portrait: large and near the middle.

    Args:
      faces: at least one.
      image_shape: of the photo, height and width first.

    Source: the rule of facenet's align_dataset_mtcnn (box area minus twice the squared
    distance of the box from the photo's centre).
    """
    centre = np.array([image_shape[1], image_shape[0]], np.float32) / 2

    def weight(face: Face) -> float:
        low, high = face.box_xyxy[:2], face.box_xyxy[2:]
        offset = (low + high) / 2 - centre
        return float(np.prod(high - low) - 2.0 * offset @ offset)

    return max(faces, key=weight)
