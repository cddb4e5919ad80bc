"""dlib's face detectors, and its landmarks for boxes of other detectors."""

import threading

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.detection.boxes import centres_overlap
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces.alignment import compose, resize_transform, transform_points
from anonygan_jax.io.dlib_package import model_file

CNN_SIDE = 1000  # pixels; larger photos are searched in a reduced copy
CNN_MIN_SIDE = 40  # pixels; dlib's image pyramid is empty for smaller photos
BOX_MARGIN = 0.6  # of a box's size, added on each side
BOX_HEIGHT = 160  # pixels of the enlarged box; dlib's detector finds 80 and more


class DlibHog:
    """dlib's HOG detector in the doubled photo: upright faces from 40 pixels."""

    def __init__(self) -> None:
        """Loads the model."""
        self._models = DlibLandmarks()

    def boxes(
        self, image_u8: UInt8[np.ndarray, "H W 3"], fine_only: bool = False
    ) -> Float[np.ndarray, "N 6"]:
        """Returns boxes; see `Detector`."""
        faces = self._models.detect(image_u8, num_upsamples=1)
        rows = [(*face.box_xyxy, face.score, 0.0) for face in faces]
        return np.array(rows, np.float32).reshape(-1, 6)


class DlibCnn:
    """dlib's convolutional detector (max-margin object detection): slow on CPUs."""

    def __init__(self) -> None:
        """Loads the model."""
        import dlib

        file = str(model_file("mmod_human_face_detector.dat"))
        self._detector = dlib.cnn_face_detection_model_v1(file)
        self._lock = threading.Lock()

    def boxes(
        self, image_u8: UInt8[np.ndarray, "H W 3"], fine_only: bool = False
    ) -> Float[np.ndarray, "N 6"]:
        """Returns boxes; see `Detector`."""
        scale = min(1.0, CNN_SIDE / max(image_u8.shape[:2]))
        if min(image_u8.shape[:2]) * scale < CNN_MIN_SIDE:
            return np.zeros((0, 6), np.float32)
        searched = np.ascontiguousarray(image_u8)
        if scale < 1:
            searched = cv2.resize(
                searched, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
        with self._lock:
            found = self._detector(searched, 1 if max(image_u8.shape[:2]) <= 640 else 0)
        rows = []
        for face in found:
            box = face.rect
            corners = (box.left(), box.top(), box.right(), box.bottom())
            rows.append([*(corner / scale for corner in corners), face.confidence, 0])
        return np.array(rows, np.float32).reshape(-1, 6)


class DlibPredictor:
    """dlib's 68 landmarks of a face in a box, if its own detector finds it, too.

    The predictor needs the box of dlib's detector, which searches the enlarged box.
    """

    def __init__(self) -> None:
        """Loads the models."""
        self._models = DlibLandmarks()

    def points(
        self,
        image_u8: UInt8[np.ndarray, "H W 3"],
        box_xyxy: Float[np.ndarray, "4"],
        roll: float = 0.0,
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns landmarks; see `Landmarker`."""
        limit = np.array(image_u8.shape[1::-1])
        margin = BOX_MARGIN * (box_xyxy[2:] - box_xyxy[:2])
        left, top = np.clip(box_xyxy[:2] - margin, 0, limit - 1).astype(int)
        right, bottom = np.clip(box_xyxy[2:] + margin, 1, limit).astype(int)
        part = image_u8[top:bottom, left:right]
        scale = BOX_HEIGHT / max(float(box_xyxy[3] - box_xyxy[1]), 1.0)
        size = tuple(max(1, round(n * scale)) for n in part.shape[:2])
        enlarged = cv2.resize(part, size[::-1], interpolation=cv2.INTER_LINEAR)
        back = resize_transform(size, part.shape[:2])
        back = compose(np.array([[1.0, 0, left], [0, 1.0, top]]), back)
        for face in self._models.detect(enlarged):
            corners = transform_points(back, face.box_xyxy.reshape(2, 2)).reshape(4)
            if centres_overlap(box_xyxy, corners):
                return transform_points(back, face.points_xy)
        return None

    def follow(
        self, image_u8: UInt8[np.ndarray, "H W 3"], points_xy: Float[np.ndarray, "68 2"]
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns landmarks; see `Landmarker`."""
        box = np.concatenate([points_xy.min(0), points_xy.max(0)])
        return self.points(image_u8, box)
