"""Prepared faces as the networks see them: read, reframed, kept in memory if asked."""

import cv2
import numpy as np

from anonygan_jax.data import crops
from anonygan_jax.data.landmarks import NUM_LANDMARKS
from anonygan_jax.data.records import FaceRecords


class Faces:
    """Random access to faces at the training size."""

    def __init__(
        self, records: list[FaceRecords], size: tuple[int, int], zoom: float
    ) -> None:
        self._records, self._size, self._zoom = records, size, zoom
        self._starts = np.cumsum([0] + [len(r) for r in records])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns uint8 [N, H, W, 3] and float32 [N, 68, 2] in its pixels."""
        faces = [self._read_one(int(index)) for index in indices]
        images, points = zip(*faces, strict=True)
        return np.stack(images), np.stack(points)

    def _read_one(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """One face, reframed."""
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        (face,) = self._records[which].read([index - int(self._starts[which])])
        return reframe(face.image, face.points_xy, self._size, self._zoom)


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

    def __init__(
        self, records: list[FaceRecords], size: tuple[int, int], zoom: float
    ) -> None:
        super().__init__(records, size, zoom)
        count = len(self)
        self._images = np.empty((count, *size, 3), np.uint8)
        self._points = np.empty((count, NUM_LANDMARKS, 2), np.float32)
        for index in range(count):
            self._images[index], self._points[index] = self._read_one(index)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns as `Faces.read`."""
        return self._images[indices], self._points[indices]
