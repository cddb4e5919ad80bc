"""Pictures with composites at known places, for measurements and tests."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.data.records import FaceRecord
from anonygan_jax.detection.merging import ious
from anonygan_jax.faces.alignment import crop_photo, transform_points

# The box of an embedded composite's face, as CenterFace has it on average over sizes.
FACE_BOX = np.array([46.5, 69.0, 130.5, 181.0])
WIDTH, HEIGHT = FACE_BOX[2:] - FACE_BOX[:2]
OVAL = np.array([0.6, 0.82])  # half axes of a head, in widths of the face
OVAL_LIFT = 0.06  # of its centre above the face's, there too


def placement(
    centre: tuple[float, float] | np.ndarray, width: float, degrees: float = 0.0
) -> Float[np.ndarray, "2 3"]:
    """Returns the map from a composite to a picture in which its face lies there.

    Args:
      centre: of the face's box, pixels of the picture.
      width: of the face, pixels.
      degrees: clockwise.
    """
    roll, scale = np.radians(degrees), width / WIDTH
    rotation = scale * np.array(
        [[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]
    )
    shift = np.asarray(centre) - rotation @ (FACE_BOX[:2] + FACE_BOX[2:]) / 2
    return np.column_stack([rotation, shift])


def face_box(
    centre: tuple[float, float] | np.ndarray, width: float, degrees: float = 0.0
) -> Float[np.ndarray, "4"]:
    """Returns the box around the oval of such a face."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    tall = width * HEIGHT / WIDTH
    half = np.array([np.hypot(width * c, tall * s), np.hypot(width * s, tall * c)]) / 2
    return np.concatenate([np.subtract(centre, half), np.add(centre, half)])


def portrait(
    record: FaceRecord, side: int, width: float, degrees: float = 0.0
) -> tuple[UInt8[np.ndarray, "S S 3"], Float[np.ndarray, "68 2"]]:
    """Returns a square picture with a face in its middle, and its landmarks.

    What is beyond the composite repeats its border.
    """
    matrix = placement((side / 2, side / 2), width, degrees)
    image = crop_photo(record.image, matrix, (side, side), cv2.BORDER_REPLICATE)
    return image, transform_points(matrix, record.points_xy)


def pair(
    records: tuple[FaceRecord, FaceRecord],
    side: int,
    widths: tuple[float, float],
    iou: float,
    direction: float,
) -> tuple[UInt8[np.ndarray, "S S 3"], Float[np.ndarray, "2 4"]] | None:
    """Returns a square picture of a head before another face, and both boxes.

    None where boxes of these sizes cannot have such an overlap.

    Args:
      records: the face behind and the one before it.
      widths: of the faces, pixels.
      iou: intersection over union of the two boxes.
      direction: from the first to the second, radians.
    """
    step = np.array([np.cos(direction), np.sin(direction)])
    middle = np.full(2, side / 2)

    def boxes(distance: float) -> np.ndarray:
        places = middle - step * distance / 2, middle + step * distance / 2
        return np.stack(
            [face_box(p, w) for p, w in zip(places, widths, strict=True)]
        ).astype(np.float32)

    def overlap(distance: float) -> float:
        behind, before = boxes(distance)
        return float(ious(behind[None], before[None])[0, 0])

    if overlap(0.0) < iou:
        return None
    distances = np.linspace(0, 2 * max(widths), 400)
    distance = next(d for d in distances if overlap(d) <= iou)
    image = crop_photo(
        records[0].image,
        placement(middle - step * distance / 2, widths[0]),
        (side, side),
        cv2.BORDER_REPLICATE,
    )
    centre = middle + step * distance / 2
    _paste_head(image, records[1], centre, widths[1])
    return image, boxes(distance)


def _paste_head(
    image: np.ndarray, record: FaceRecord, centre: np.ndarray, width: float
) -> None:
    """Draws a composite's head over a picture."""
    size = image.shape[:2]
    face = crop_photo(
        record.image, placement(centre, width), size, cv2.BORDER_REPLICATE
    )
    mask = np.zeros(size, np.float32)
    middle = np.rint(centre - [0, OVAL_LIFT * width]).astype(int)
    axes = np.rint(OVAL * width).astype(int)
    cv2.ellipse(mask, middle.tolist(), axes.tolist(), 0, 0, 360, 1.0, -1)
    weight = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.01 * width))[..., None]
    image[:] = np.rint(image + weight * (face.astype(np.float32) - image))
