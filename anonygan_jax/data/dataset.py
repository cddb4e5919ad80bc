"""Prepared faces at the size of training, decoded when they are read or once."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from anonygan_jax.faces import alignment


class StoredFaces(Protocol):
    """Prepared faces on disk: `FaceRecords` or `FacePack`.

    Attributes:
      size: (height, width) of the pictures.
      zoom: of the window that the pictures show, see `alignment.window_transform`.
    """

    size: tuple[int, int]
    zoom: float

    def __len__(self) -> int:
        """Number of faces."""
        ...

    def labels(self) -> tuple[list[str], np.ndarray]:
        """Returns the N people's names and the landmarks, float32 [N, 68, 2]."""
        ...

    def images(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Returns the pictures with these numbers, uint8 [H, W, 3]."""
        ...


class FaceDataset:
    """Random access to faces at the size of training.

    Attributes:
      size: (height, width) of the pictures.
      zoom: of the window that the pictures show, see `alignment.window_transform`.
      points_xy: float32 [N, 68, 2], landmarks, pixels of these pictures.
    """

    def __init__(
        self,
        stores: list[StoredFaces],
        points_xy: list[np.ndarray],
        size: tuple[int, int],
        zoom: float,
    ) -> None:
        """Maps the landmarks to the pictures of training.

        Args:
          stores: prepared faces.
          points_xy: of each store, float32 [N, 68, 2], pixels of its pictures.
          size, zoom: see above.

        Raises:
          ValueError: a pack has another size or zoom.
        """
        for store in stores:
            if store.zoom != 1 and (store.zoom, store.size) != (zoom, size):
                raise ValueError(
                    f"a pack has {store.size[0]}x{store.size[1]} pixels at zoom "
                    f"{store.zoom}, wanted {size[0]}x{size[1]} at {zoom}"
                )
        self._stores, self.size, self.zoom = stores, size, zoom
        self._starts = np.cumsum([0] + [len(store) for store in stores])
        self.points_xy = np.concatenate(
            [
                alignment.transform_points(
                    alignment.window_transform(store.size, size, zoom / store.zoom),
                    points,
                )
                for store, points in zip(stores, points_xy, strict=True)
            ]
        )

    def __len__(self) -> int:
        return int(self._starts[-1])

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Returns the faces with some numbers, uint8 [N, H, W, 3]."""
        return np.stack([self._read_one(int(index)) for index in indices])

    def _read_one(self, index: int) -> np.ndarray:
        """One face at the size of training."""
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        store = self._stores[which]
        (image,) = store.images([index - int(self._starts[which])])
        return alignment.reframe_image(image, self.size, self.zoom / store.zoom)


class InMemoryFaceDataset(FaceDataset):
    """Random access to faces that are decoded once and kept in memory."""

    def __init__(self, *arguments: Any) -> None:
        """Decodes all faces; arguments and errors as `FaceDataset`."""
        super().__init__(*arguments)
        self._images = np.empty((len(self), *self.size, 3), np.uint8)
        for index in range(len(self)):
            self._images[index] = self._read_one(index)

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Returns as `FaceDataset.read`."""
        return self._images[indices]
