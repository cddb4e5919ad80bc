"""All faces of a photo, with landmarks where there can be any."""

import cv2
import numpy as np

from anonygan_jax.data.centerface import CenterFace
from anonygan_jax.data.crops import compose, resize_transform, transform_points
from anonygan_jax.data.landmarks import DlibLandmarks, Face

CLOSER_MARGIN = 0.6  # of a box's size, added on each side
CLOSER_HEIGHT = 160  # pixels of the box there; dlib's detector looks for 80


class FaceFinder:
    """dlib's detector for landmarks, CenterFace so that none is missed."""

    def __init__(self) -> None:
        """Loads both.

        Raises:
          LandmarksUnavailable: dlib or its models are missing.
        """
        self.landmarks = DlibLandmarks()
        self._centerface = CenterFace()

    def __call__(self, photo: np.ndarray) -> tuple[list[Face], list[Face]]:
        """Returns the faces with landmarks, and those of which only a box is known.

        What CenterFace alone finds is enlarged and shown to dlib again. Where that
        does not help either, `points_xy` is empty.

        Args:
          photo: uint8 [H, W, 3] RGB.
        """
        faces = self.landmarks.detect(photo, num_upsamples=1)
        boxes_alone = []
        for *corners, score in self._centerface.boxes(photo):
            box = np.array(corners, np.float32)
            if any(_same_place(box, face.box_xyxy) for face in faces):
                continue
            if closer := self._look_closer(photo, box):
                faces.append(closer)
            else:
                nowhere = np.zeros((0, 2), np.float32)
                boxes_alone.append(Face(nowhere, box, float(score)))
        return faces, boxes_alone

    def _look_closer(self, photo: np.ndarray, box: np.ndarray) -> Face | None:
        """The face in a box as dlib sees it enlarged, if it does."""
        limit = np.array(photo.shape[1::-1])
        margin = CLOSER_MARGIN * (box[2:] - box[:2])
        left, top = np.clip(box[:2] - margin, 0, limit - 1).astype(int)
        right, bottom = np.clip(box[2:] + margin, 1, limit).astype(int)
        part = photo[top:bottom, left:right]
        scale = CLOSER_HEIGHT / max(float(box[3] - box[1]), 1.0)
        size = tuple(max(1, round(n * scale)) for n in part.shape[:2])
        enlarged = cv2.resize(part, size[::-1], interpolation=cv2.INTER_CUBIC)
        back = resize_transform(size, part.shape[:2])
        back = compose(np.array([[1.0, 0, left], [0, 1.0, top]]), back)
        for face in self.landmarks.detect(enlarged):
            corners = transform_points(back, face.box_xyxy.reshape(2, 2)).reshape(4)
            if _same_place(box, corners):
                points = transform_points(back, face.points_xy)
                return Face(points, corners, face.score)
        return None


def _same_place(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether one of two boxes has its centre in the other."""
    return _holds(a, (b[:2] + b[2:]) / 2) or _holds(b, (a[:2] + a[2:]) / 2)


def _holds(box: np.ndarray, point: np.ndarray) -> bool:
    """Whether a point lies in a box."""
    return bool((point >= box[:2]).all() and (point <= box[2:]).all())
