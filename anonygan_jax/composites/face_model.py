"""A linear model of faces: weighted sums of the shapes and textures of donors.

Source: Cootes, Edwards and Taylor, "Active Appearance Models" (ECCV 1998): a face is a
shape, and a texture in the mean shape. Differs: sums of the donors themselves, not of
principal components, so that each donor's share is known.
"""

import cv2
import numpy as np

from anonygan_jax.composites.donors import CANVAS, Donor, Portrait
from anonygan_jax.faces import delaunay
from anonygan_jax.faces.face import NUM_LANDMARKS

# Of the face's width: where the face passes into hair and neck, and lips into teeth.
FADE, LIPS = 0.04, 0.015
INNER_LIPS = range(60, 68)


class FaceModel:
    """Shapes and textures of donors, by expression."""

    def __init__(self, donors: list[Donor], expressions: tuple[str, ...]) -> None:
        """Warps all portraits to their mean shape."""
        portraits = {e: [donor.portraits[e] for donor in donors] for e in expressions}
        self._shapes = {
            e: np.stack([p.points for p in of_one]) for e, of_one in portraits.items()
        }
        self._mean_shapes = {e: known.mean(0) for e, known in self._shapes.items()}
        self._textures = {
            e: np.stack([self._texture(portrait, e) for portrait in of_one])
            for e, of_one in portraits.items()
        }
        self._insides = {e: _inside(shape) for e, shape in self._mean_shapes.items()}

    def face(self, weights: np.ndarray, expression: str) -> Portrait:
        """Returns a weighted sum of the donors, a portrait without descriptors.

        Hair, neck, surroundings and teeth are a weighted mean of the donors whose
        weights are above 0: differences of hair would be a halo, of teeth a hole.

        Args:
          weights: float [N], one for each donor, sums to 1; some may be below 0.
        """
        above = np.maximum(weights, 0)
        used = np.flatnonzero(weights)
        rows = np.stack([weights, above / above.sum()])[:, used].astype(np.float32)
        textures = self._textures[expression][used].astype(np.float32)
        face, around = np.tensordot(rows, textures, 1)
        inside = self._insides[expression]
        points = np.tensordot(weights, self._shapes[expression], 1)
        image = delaunay.warp_to_points(
            np.clip(inside * face + (1 - inside) * around, 0, 255),
            self._mean_shapes[expression],
            points,
        )
        return Portrait(np.rint(image).astype(np.uint8), points, {})

    def _texture(self, portrait: Portrait, expression: str) -> np.ndarray:
        """A portrait warped to the mean shape, uint8 [H, W, 3] of the size CANVAS."""
        mean = self._mean_shapes[expression]
        return delaunay.warp_to_points(portrait.image, portrait.points, mean)


def _inside(points: np.ndarray) -> np.ndarray:
    """How much of each pixel is face, float32 [H, W, 1], 0 to 1."""
    landmarks = points[:NUM_LANDMARKS]
    outline = np.concatenate([landmarks, delaunay.forehead_points(landmarks)])
    width = float(np.ptp(landmarks[:, 0]))
    face = cv2.erode(_filled(outline), _square(1.5 * FADE * width))
    face = cv2.GaussianBlur(face, (0, 0), FADE * width)
    teeth = cv2.dilate(_filled(landmarks[list(INNER_LIPS)]), _square(LIPS * width))
    teeth = cv2.GaussianBlur(teeth, (0, 0), LIPS * width)
    return (face * (1 - teeth))[..., None]


def _filled(points: np.ndarray) -> np.ndarray:
    """1 in the hull of points, else 0, float32 [H, W] of the size CANVAS."""
    image = np.zeros(CANVAS, np.float32)
    cv2.fillConvexPoly(image, cv2.convexHull(np.rint(points).astype(np.int32)), 1.0)
    return image


def _square(radius: float) -> np.ndarray:
    """A square of pixels around one pixel."""
    side = 2 * round(radius) + 1
    return np.ones((side, side), np.uint8)
