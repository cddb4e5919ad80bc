"""Faces with their 68 landmarks by dlib: HOG detector and shape predictor.

For prepared training data and measures, whose landmarks are dlib's.
"""

import threading
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from anonygan_jax.faces.face import Face
from anonygan_jax.io.dlib_package import model_file

MIN_SIDE = 16  # pixels; dlib's image pyramid is empty for smaller photos
DETECTION_SIDE = 1600  # pixels; larger photos are searched in a reduced copy


class DlibLandmarks:
    """Detector of faces with their landmarks: dlib's HOG detector and predictor."""

    def __init__(self) -> None:
        """Loads the models (100 MB, about a second)."""
        import dlib

        self._lock = threading.Lock()  # dlib's objects are not thread-safe
        self._rectangle = dlib.rectangle
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(
            str(model_file("shape_predictor_68_face_landmarks.dat"))
        )

    def detect(
        self, image_u8: UInt8[np.ndarray, "H W 3"], num_upsamples: int = 0
    ) -> list[Face]:
        """Returns the faces of a photo, by descending score.

        Args:
          num_upsamples: times that the photo is doubled before the search. dlib finds
            faces from 80 pixels without, from 40 with one doubling.
        """
        if min(image_u8.shape[:2]) < MIN_SIDE:
            return []
        image_u8 = np.ascontiguousarray(image_u8)  # dlib reads past views of arrays
        scale = min(1.0, DETECTION_SIDE / max(image_u8.shape[:2]))
        searched = image_u8
        if scale < 1:
            searched = cv2.resize(
                image_u8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
        with self._lock:
            boxes, scores, _ = self._detector.run(searched, num_upsamples)
            faces = [
                self._face(image_u8, box, score, scale)
                for box, score in zip(boxes, scores, strict=True)
            ]
        return sorted(faces, key=lambda face: -face.score)

    def detect_any(self, image_u8: UInt8[np.ndarray, "H W 3"]) -> list[Face]:
        """Returns the faces of a photo or, if there are none, of the doubled photo."""
        return self.detect(image_u8) or self.detect(image_u8, num_upsamples=1)

    def _face(self, image_u8: np.ndarray, box: Any, score: float, scale: float) -> Face:
        """Landmarks inside one box of the searched copy, in photo pixels."""
        corners = np.array([box.left(), box.top(), box.right(), box.bottom()]) / scale
        rectangle = self._rectangle(*(round(c) for c in corners))
        parts = self._predictor(image_u8, rectangle).parts()
        points = np.array([(p.x, p.y) for p in parts], np.float32)
        return Face(points, corners.astype(np.float32), float(score))
