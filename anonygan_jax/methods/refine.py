"""The warped face, improved by a generator that was trained to do so."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.faces import alignment
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.methods.method import Faces, MethodError, NewFaces
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.methods.warp import Warp
from anonygan_jax.models.config import ANONYGAN
from anonygan_jax.models.images import to_float

SOFT_EDGE = 0.04  # of the face's width: the change fades towards the mask's border

_masks = jax.jit(face_mask, static_argnums=(1, 2))


class Refine:
    """Warps, lets the generator redraw at its size, and adds what it changed.

    What it changed is enlarged and added to the warped face, whose own details stay:
    the result is as sharp as the photo. The source's face never reaches the network:
    all that it sees is cut from the warped picture.

    Attributes:
      step: the training step of the weights.
    """

    name = ANONYGAN
    uses_conditions = True
    region = FACE_CONTOUR
    crop_size: tuple[int, int] | None = None

    def __init__(self, generator: TrainedGenerator) -> None:
        self._warp = Warp()
        self._generator = generator
        self.step = generator.step

    def __call__(self, faces: Faces, conditions: NewFaces) -> np.ndarray:
        """Returns the crops with the conditions' faces; see `Method`.

        Raises:
          MethodError: conditions are missing, a face cannot be drawn, or the output is
            not finite.
        """
        if not isinstance(conditions, Faces):
            raise MethodError("anonygan needs a condition for each face")
        warped = self._warp(faces, conditions)
        size = self._generator.size
        old = (warped.shape[1], warped.shape[2])
        matrix = alignment.window_transform(old, size, self._generator.zoom)
        warped_condition = np.stack(
            [alignment.crop_photo(image, matrix, size) for image in warped]
        )
        points = alignment.transform_points(matrix, faces.points_xy)
        mask = np.asarray(_masks(points, size, self.region))
        prior_float = to_float(jnp.asarray(warped_condition))
        output = self._generator(
            conditions,
            prior_float * (1 - mask),
            points,
            prior_float,
        )
        change = 127.5 * (output - np.asarray(prior_float))
        return np.stack(
            [
                _add(image, added, matrix, soft_edge(mask, points))
                for image, added, mask, points in zip(
                    warped, change, faces.masks, faces.points_xy, strict=True
                )
            ]
        )


def _add(
    image: np.ndarray, change: np.ndarray, matrix: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """A picture, changed by what a smaller window of it was changed by."""
    size = (image.shape[1], image.shape[0])
    enlarged = cv2.warpAffine(
        change, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    changed = image + weight[..., None] * enlarged
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def soft_edge(mask: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Returns float32 [H, W]: 0 outside the mask and at its border, 1 further inside.

    Args:
      mask: float32 [H, W].
      points_xy: float [68, 2], whose width sets the scale.
    """
    width = float(np.linalg.norm(points_xy[16] - points_xy[0]))
    framed = np.pad((mask > 0).astype(np.uint8), 1)  # the crop's border is no edge
    framed[[0, -1]], framed[:, [0, -1]] = framed[[1, -2]], framed[:, [1, -2]]
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.clip((distance - 1) / max(SOFT_EDGE * width, 1.0), 0, 1)
