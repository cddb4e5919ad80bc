"""Faces found by other means: each must be in its photo or video."""

import numpy as np

from anonygan_jax.anonymise.errors import KnownFaceError
from anonygan_jax.detection.boxes import covered_share
from anonygan_jax.detection.detector import Detection, FaceDetector
from anonygan_jax.faces.face import Face


def check_known_faces(
    known: dict[int, list[Face]], num_frames: int, shape: tuple[int, ...]
) -> None:
    """Accepts faces that are in a photo or video.

    Args:
      known: by frame, 0 of a photo.
      num_frames: 1 of a photo.
      shape: of the photo or frames, height and width first.

    Raises:
      KnownFaceError: a face is in a frame that does not exist, or outside the picture.
    """
    height, width = shape[:2]
    whole = np.array([0, 0, width, height], np.float32)
    for frame, faces in known.items():
        if not 0 <= frame < num_frames:
            raise KnownFaceError(
                f"a box is in frame {frame}, the last frame is {num_frames - 1}"
            )
        for face in faces:
            if not covered_share(face.box_xyxy, whole):
                left, top, right, bottom = (round(float(v)) for v in face.box_xyxy)
                raise KnownFaceError(
                    f"a box ({left} to {right} across, {top} to {bottom} down) is "
                    f"outside the picture of {width}x{height} pixels"
                )


def with_landmarks(
    photo: np.ndarray, known: list[Face], detector: FaceDetector
) -> list[Face]:
    """Returns faces of uint8 [H, W, 3]; landmarks are found in boxes without any."""
    return [
        face
        if len(face.points_xy)
        else detector.face(photo, Detection(face.box_xyxy, face.score, face.roll))
        for face in known
    ]
