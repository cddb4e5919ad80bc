"""Detection, landmarks and descriptor of one face of a photo."""

import dataclasses

import numpy as np

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.mtcnn import Mtcnn
from anonygan_jax.faces.face import Face, main_face
from anonygan_jax.faces.skin import skin_colour
from anonygan_jax.recognition.dlib import DlibDescriptor


@dataclasses.dataclass(frozen=True)
class Observation:
    """One face of a photo.

    Where no face is detected in a result, landmarks and box are the original's.

    Attributes:
      size: (height, width) of the photo.
      points_xy: float32 [68, 2], dlib's landmarks, pixels.
      box_xyxy: float32 [4], dlib's box, pixels.
      detected: dlib detects the face.
      detected_by_mtcnn: None where MTCNN is not used.
      mtcnn_box: float32 [4], MTCNN's box; None where it detects no face here.
      descriptor: float32 [128], dlib's.
      face_boxes: float32 [N, 4], of all faces that dlib detects.
      skin_lab: float32 [3], colour of the skin in CIE Lab; NaN where none is visible.
    """

    size: tuple[int, int]
    points_xy: np.ndarray
    box_xyxy: np.ndarray
    detected: bool
    detected_by_mtcnn: bool | None
    mtcnn_box: np.ndarray | None
    descriptor: np.ndarray
    face_boxes: np.ndarray
    skin_lab: np.ndarray


class FaceObserver:
    """dlib (photo upsampled once) and, if wanted, MTCNN."""

    def __init__(self, use_mtcnn: bool) -> None:
        """Loads the models.

        Raises:
          MissingPackage: MTCNN is wanted and missing.
        """
        self._detector = DlibLandmarks()
        self._describe = DlibDescriptor()
        self._mtcnn = Mtcnn() if use_mtcnn else None

    def original(self, image: np.ndarray) -> Observation | None:
        """Returns the main face of an original, uint8 [H, W, 3]; None without one."""
        faces = self._detector.detect(image, num_upsamples=1)
        if not faces:
            return None
        return self._observe(image, main_face(faces, image.shape), faces, True)

    def result(self, image: np.ndarray, original: Observation) -> Observation:
        """Returns the face of a result, uint8 [H, W, 3], where the original's is.

        Where no face is detected, the descriptor is computed with the landmarks of the
        original, as an attacker who has the original could do.
        """
        faces = self._detector.detect(image, num_upsamples=1)
        found = face_at(faces, original.box_xyxy)
        face = found or Face(original.points_xy, original.box_xyxy, 0.0)
        return self._observe(image, face, faces, found is not None)

    def _observe(
        self, image: np.ndarray, face: Face, faces: list[Face], detected: bool
    ) -> Observation:
        """The observation of one face."""
        box = None
        if self._mtcnn:
            boxes = self._mtcnn.boxes(image)
            number = _nearest(list(boxes), face.box_xyxy)
            box = None if number is None else boxes[number][:4]
        return Observation(
            size=(image.shape[0], image.shape[1]),
            points_xy=face.points_xy,
            box_xyxy=face.box_xyxy,
            detected=detected,
            detected_by_mtcnn=(box is not None) if self._mtcnn else None,
            mtcnn_box=box,
            descriptor=self._describe(image, face.points_xy),
            face_boxes=np.array([f.box_xyxy for f in faces]).reshape(-1, 4),
            skin_lab=skin_colour(image, face.points_xy),
        )


def face_at(faces: list[Face], box_xyxy: np.ndarray) -> Face | None:
    """Returns the face whose centre is nearest to a box's, among those inside it."""
    number = _nearest([face.box_xyxy for face in faces], box_xyxy)
    return None if number is None else faces[number]


def _nearest(boxes: list[np.ndarray], place: np.ndarray) -> int | None:
    """Number of the box with its centre nearest to that of a place, and inside it."""
    apart = {}
    for number, box in enumerate(boxes):
        centre = (box[:2] + box[2:4]) / 2
        if (centre >= place[:2]).all() and (centre <= place[2:]).all():
            apart[number] = np.linalg.norm(centre - (place[:2] + place[2:]) / 2)
    return min(apart, key=lambda number: apart[number], default=None)
