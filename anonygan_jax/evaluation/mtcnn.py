"""The second detector of the published table: FaceNet's MTCNN."""

import importlib.util
import os

import numpy as np

INSTALL = "pip install 'anonygan_jax[evaluation]'"


class MtcnnUnavailable(ImportError):
    """The package with the detector or its TensorFlow is missing."""


def is_installed() -> bool:
    """Returns whether `Mtcnn` can be made."""
    return all(importlib.util.find_spec(name) for name in ("mtcnn", "tensorflow"))


class Mtcnn:
    """Zhang et al. 2016 with the facenet weights that the mtcnn package carries."""

    def __init__(self) -> None:
        """Loads the networks.

        Raises:
          MtcnnUnavailable: mtcnn or TensorFlow is missing.
        """
        if not is_installed():
            raise MtcnnUnavailable(f"MTCNN is missing; install it with: {INSTALL}")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from mtcnn import MTCNN

        self._detector = MTCNN()

    def boxes(self, image_u8: np.ndarray) -> np.ndarray:
        """Returns float32 [N, 4] boxes, the surest first: left, top, right, bottom.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
        """
        found = self._detector.detect_faces(image_u8) or []
        found = sorted(found, key=lambda face: -float(face["confidence"]))
        corners = np.array([face["box"] for face in found], np.float32).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        return corners
