"""dlib's face descriptor: 128 numbers that are alike for photos of one person.

dlib frames the face; its network is run by ONNX Runtime, many times faster than by the
wheel of dlib, which is built for any processor.
"""

import numpy as np

from anonygan_jax.io.dlib_package import model_file
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile
from anonygan_jax.models.pretrained.dlib_shapes import IMAGE_SIZE
from anonygan_jax.recognition.dlib_file import face_descriptor_variables
from anonygan_jax.recognition.mobilefacenet import onnx_layout

GRAPH = ASSETS / "recognisers" / "dlib.onnx"
WEIGHTS_FILE = "dlib_face_recognition_resnet_model_v1.dat"
MARGIN = 0.25  # around a face, of its size, as the network was trained


class DlibDescriptor:
    """dlib's face recogniser (99.38% on LFW by its author's measure)."""

    def __init__(self) -> None:
        """Takes the network, which is loaded at the first call."""
        import dlib

        self._dlib = dlib
        self._network = OnnxFile(GRAPH, num_threads=1, weights=onnx_weights)

    def __call__(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
        """Returns a face's descriptor, float32 [128]; see `recognition.thresholds`.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
          points_xy: float [68, 2], landmarks in pixels.

        Raises:
          DlibFileError, OnnxError: the package is damaged.
        """
        low, high = points_xy.min(0), points_xy.max(0)
        box = self._dlib.rectangle(*(int(v) for v in (*low, *high)))
        parts = [self._dlib.point(round(x), round(y)) for x, y in points_xy]
        shape = self._dlib.full_object_detection(box, parts)
        image = np.ascontiguousarray(image_u8)
        chip = self._dlib.get_face_chip(image, shape, IMAGE_SIZE, MARGIN)
        (found,) = self._network(chip[None].astype(np.float32))
        return found[0]


def onnx_weights() -> dict[str, np.ndarray]:
    """Returns the network's weights in ONNX's layouts, by name.

    Raises: as `model_file` and `face_descriptor_variables`.
    """
    params = face_descriptor_variables(model_file(WEIGHTS_FILE))["params"]
    return {
        f"{layer}/{name}": onnx_layout(array)
        for layer, arrays in params.items()
        for name, array in arrays.items()
    }
