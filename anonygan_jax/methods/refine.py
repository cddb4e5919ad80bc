"""Warped faces, improved by a generator."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces import alignment
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.methods.method import Conditions, Faces
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.methods.warp import Warp
from anonygan_jax.models.images import to_float
from anonygan_jax.models.names import ANONYGAN

SOFT_EDGE = 0.04  # of the face's width: where the change fades towards the mask's edge


class Refine:
    """Warps a face, and adds what the generator changes in it; see `Replacer`.

    The generator draws at its own size. The difference between its output and its
    input is enlarged and added to the warped face, whose details are kept: the result
    is as sharp as the photo. The source's face never reaches the network: all of the
    network's input is cut from the warped face.
    """

    name = ANONYGAN
    region = FACE_CONTOUR
    crop_size: tuple[int, int] | None = None
    num_classes: int | None = None

    def __init__(self, generator: TrainedGenerator) -> None:
        self._warp = Warp()
        self.generator = generator
        self.step: int | None = generator.step

    def __call__(
        self, faces: Faces, conditions: Conditions
    ) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with the conditions' faces; see `Replacer`."""
        warped = self._warp(faces, conditions)
        size = self.generator.size
        crop_size = (warped.shape[1], warped.shape[2])
        matrix = alignment.window_transform(crop_size, size, self.generator.zoom)
        windows = [alignment.crop_photo(image, matrix, size) for image in warped]
        warped_condition = to_float(np.stack(windows))
        points = alignment.transform_points(matrix, faces.points_xy)
        mask = face_mask(points, size, self.region)
        output = self.generator(
            conditions,
            warped_condition * (1 - mask[..., None]),
            points,
            warped_condition,
        )
        change = 127.5 * (output - warped_condition)
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
    """An image plus the change of a smaller window of it, enlarged and weighted."""
    size = (image.shape[1], image.shape[0])
    enlarged = cv2.warpAffine(
        change, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    changed = image + weight[..., None] * enlarged
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def soft_edge(
    mask: Float[np.ndarray, "H W"], points_xy: Float[np.ndarray, "68 2"]
) -> Float[np.ndarray, "H W"]:
    """Returns weights that rise from 0 at the mask's edge to 1 inside it."""
    width = float(np.linalg.norm(points_xy[16] - points_xy[0]))
    framed = np.pad((mask > 0).astype(np.uint8), 1)  # the crop's border is no edge
    framed[[0, -1]], framed[:, [0, -1]] = framed[[1, -2]], framed[:, [1, -2]]
    distance = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.clip((distance - 1) / max(SOFT_EDGE * width, 1.0), 0, 1)
