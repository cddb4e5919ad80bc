"""What a face recogniser is to the rest of the package."""

from typing import Protocol

import numpy as np


class Descriptor(Protocol):
    """Numbers of a face that are alike for photos of one person."""

    def __call__(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
        """Returns a face's descriptor, float32 [D].

        Euclidean distances between descriptors are compared. All have length 1 but
        dlib's, whose distances the tool and others know as they are.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
          points_xy: float [68, 2], landmarks in pixels.

        Raises:
          DegenerateFaceError: the landmarks give no crop.
        """
