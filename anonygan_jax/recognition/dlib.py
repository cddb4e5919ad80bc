"""dlib's face descriptor: 128 numbers that are alike for photos of one person."""

import threading

import numpy as np

from anonygan_jax.io.dlib_package import import_dlib, model_file


class DlibDescriptor:
    """dlib's face recogniser (99.38% on LFW by its author's measure)."""

    def __init__(self) -> None:
        """Loads the model; raises as `model_file`."""
        self._dlib = import_dlib()
        self._lock = threading.Lock()
        self._model = self._dlib.face_recognition_model_v1(
            str(model_file("dlib_face_recognition_resnet_model_v1.dat"))
        )

    def __call__(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
        """Returns a face's descriptor, float32 [128]; see `recognition.thresholds`.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
          points_xy: float [68, 2], landmarks in pixels.
        """
        low, high = points_xy.min(0), points_xy.max(0)
        box = self._dlib.rectangle(*(int(v) for v in (*low, *high)))
        parts = [self._dlib.point(round(x), round(y)) for x, y in points_xy]
        shape = self._dlib.full_object_detection(box, parts)
        image = np.ascontiguousarray(image_u8)
        with self._lock:  # the model keeps its layers' outputs
            found = self._model.compute_face_descriptor(image, shape)
        return np.array(found, np.float32)
