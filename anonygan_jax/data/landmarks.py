"""68 facial landmarks (iBUG 300-W order) of the faces in a photo, by dlib."""

import dataclasses
import importlib.util
import pathlib
from typing import Any

import cv2
import numpy as np

NUM_LANDMARKS = 68
JAW = tuple(range(0, 17))
LEFT_EYE = tuple(range(36, 42))  # left in the picture
RIGHT_EYE = tuple(range(42, 48))
OUTER_EYE_CORNERS = (36, 45)
# The reduced set of the paper's 29-point rows: jaw, nose bridge, inner lips.
REDUCED_29 = JAW + tuple(range(27, 31)) + tuple(range(60, 68))

SMALLEST_SIDE = 16  # pixels; dlib's pyramid has nothing to look at below
DETECTION_SIDE = 1600  # pixels; larger photos are searched in a reduced copy

_INSTALL = "install it with: pip install 'anonygan_jax[landmarks]'"


class LandmarksUnavailable(ImportError):
    """dlib or its model files are not installed; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Face:
    """One detected face.

    Attributes:
      points_xy: float32 [68, 2], pixels from the centre of the top-left pixel; points
        may lie outside the photo.
      box_xyxy: float32 [4], the detector's box: left, top, right, bottom.
      score: the detector's confidence; above 0, larger is surer, no fixed range.
    """

    points_xy: np.ndarray
    box_xyxy: np.ndarray
    score: float


class DlibLandmarks:
    """Detector of faces with their landmarks: dlib's HOG detector and predictor."""

    def __init__(self) -> None:
        """Loads the models (100 MB, about a second).

        Raises:
          LandmarksUnavailable: dlib or `face_recognition_models` is missing.
        """
        dlib = import_dlib()
        self._rectangle = dlib.rectangle
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(
            str(model_file("shape_predictor_68_face_landmarks.dat"))
        )

    def detect(self, image_u8: np.ndarray, num_upsamples: int = 0) -> list[Face]:
        """Returns the faces of a photo, the surest first.

        Args:
          image_u8: uint8 [H, W, 3] RGB.
          num_upsamples: how often the photo is doubled before the search. dlib sees
            faces from 80 pixels without, from 40 with one doubling.
        """
        if min(image_u8.shape[:2]) < SMALLEST_SIDE:
            return []
        image_u8 = np.ascontiguousarray(image_u8)  # dlib reads past views of arrays
        scale = min(1.0, DETECTION_SIDE / max(image_u8.shape[:2]))
        searched = image_u8
        if scale < 1:
            searched = cv2.resize(
                image_u8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
            )
        boxes, scores, _ = self._detector.run(searched, num_upsamples)
        faces = [
            self._face(image_u8, box, score, scale)
            for box, score in zip(boxes, scores, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.score)

    def detect_any(self, image_u8: np.ndarray) -> list[Face]:
        """Returns the faces found as is or, when there are none, in a doubled photo."""
        return self.detect(image_u8) or self.detect(image_u8, num_upsamples=1)

    def _face(self, image_u8: np.ndarray, box: Any, score: float, scale: float) -> Face:
        """Landmarks inside one box of the searched copy, in photo pixels."""
        corners = np.array([box.left(), box.top(), box.right(), box.bottom()]) / scale
        rectangle = self._rectangle(*(round(c) for c in corners))
        parts = self._predictor(image_u8, rectangle).parts()
        points = np.array([(p.x, p.y) for p in parts], np.float32)
        return Face(points, corners.astype(np.float32), float(score))


def main_face(faces: list[Face], image_shape: tuple[int, ...]) -> Face:
    """Returns the face that a portrait is of: large and near the middle.

    Source: the rule of facenet's align_dataset_mtcnn (box area minus twice the squared
    distance of the box from the photo's centre).
    """
    centre = np.array([image_shape[1], image_shape[0]], np.float32) / 2

    def weight(face: Face) -> float:
        low, high = face.box_xyxy[:2], face.box_xyxy[2:]
        offset = (low + high) / 2 - centre
        return float(np.prod(high - low) - 2.0 * offset @ offset)

    return max(faces, key=weight)


def model_file(name: str) -> pathlib.Path:
    """Returns the path of a model file of the `face_recognition_models` package.

    The package is located, not imported: its `__init__` needs `pkg_resources`, which
    current setuptools no longer has.

    Raises:
      LandmarksUnavailable: the package or the file in it is missing.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = pathlib.Path(folder) / "models" / name
        if path.exists():
            return path
    raise LandmarksUnavailable(f"dlib's model file {name} is missing; {_INSTALL}")


def import_dlib() -> Any:
    """Returns the dlib module, or raises LandmarksUnavailable."""
    try:
        import dlib
    except ImportError as error:
        raise LandmarksUnavailable(f"dlib is missing; {_INSTALL}") from error
    return dlib
