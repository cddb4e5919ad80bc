"""Prepared faces as the networks see them: read, reframed, kept in memory if asked."""

from typing import Any

import cv2
import numpy as np

from anonygan_jax.data import crops
from anonygan_jax.data.records import FaceRecords


class Faces:
    """Random access to faces at the training size.

    Attributes:
      points_xy: float32 [N, 68, 2], their landmarks in pixels.
    """

    def __init__(
        self,
        records: list[FaceRecords],
        points_xy: list[np.ndarray],
        size: tuple[int, int],
        zoom: float,
    ) -> None:
        """Takes the records and, of each, the landmarks as they are stored."""
        self._records, self._size, self._zoom = records, size, zoom
        self._starts = np.cumsum([0] + [len(r) for r in records])
        self.points_xy = np.concatenate(
            [
                crops.transform_points(
                    crops.window_transform(r.size, size, zoom), points
                ).astype(np.float32)
                for r, points in zip(records, points_xy, strict=True)
            ]
        )

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Returns uint8 [N, H, W, 3]."""
        return np.stack([self._read_one(int(index)) for index in indices])

    def _read_one(self, index: int) -> np.ndarray:
        """One face, reframed."""
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        (face,) = self._records[which].read([index - int(self._starts[which])])
        return reframe(face.image, face.points_xy, self._size, self._zoom)[0]


def reframe(
    image: np.ndarray, points_xy: np.ndarray, size: tuple[int, int], zoom: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns a CelebA-framed crop and its points as the network sees them."""
    matrix = crops.window_transform(image.shape[:2], size, zoom)
    points = crops.transform_points(matrix, points_xy)
    if zoom == 1:
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA), points
    return crops.crop_photo(image, matrix, size), points


class FacesInMemory(Faces):
    """The same, decoded once."""

    def __init__(self, *arguments: Any) -> None:
        """Takes what `Faces` takes."""
        super().__init__(*arguments)
        self._images = np.empty((len(self), *self._size, 3), np.uint8)
        for index in range(len(self)):
            self._images[index] = self._read_one(index)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Returns as `Faces.read`."""
        return self._images[indices]
