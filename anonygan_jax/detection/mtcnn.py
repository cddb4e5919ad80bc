"""The second detector of the published table: FaceNet's MTCNN."""

import os

import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.io import extras

PACKAGES = ("mtcnn", "tensorflow")


def is_installed() -> bool:
    """Returns whether the packages of `Mtcnn` are installed."""
    return extras.are_installed(*PACKAGES)


class Mtcnn:
    """Zhang et al. 2016 with the facenet weights that the mtcnn package carries."""

    def __init__(self) -> None:
        """Loads the networks.

        Raises:
          MissingPackage: mtcnn or TensorFlow is missing.
        """
        extras.require("the detector MTCNN", "evaluation", *PACKAGES)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from mtcnn import MTCNN

        self._detector = MTCNN()

    def boxes(
        self, image_u8: UInt8[np.ndarray, "H W 3"], fine_only: bool = False
    ) -> Float[np.ndarray, "N 6"]:
        """Returns boxes; see `Detector`."""
        found = self._detector.detect_faces(image_u8) or []
        rows = [(*face["box"], face["confidence"], 0.0) for face in found]
        boxes = np.array(sorted(rows, key=lambda row: -row[4]), np.float32)
        boxes = boxes.reshape(-1, 6)
        boxes[:, 2:4] += boxes[:, :2]
        return boxes
