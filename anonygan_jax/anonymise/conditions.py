"""Whose face is put there: one given photo, or the best of the embedded composites."""

import hashlib
import pathlib

import cv2
import numpy as np

from anonygan_jax.data import crops, landmarks, photos
from anonygan_jax.data.records import EMBEDDED, FaceRecord, FaceRecords

AUTO = "auto"
NUM_BEST = 5  # the condition is drawn among as many best fitting people


class ConditionError(ValueError):
    """A condition photo that can't be used."""


class Conditions:
    """Faces to choose a condition from."""

    def __init__(self, faces: list[FaceRecord], size: tuple[int, int]) -> None:
        """Resizes the faces to what the generator takes.

        Args:
          faces: at least one.
          size: (height, width).
        """
        self.names = [f"{face.identity}/{face.file}" for face in faces]
        self._identities = [face.identity for face in faces]
        self._images = np.stack(
            [
                cv2.resize(face.image, size[::-1], interpolation=cv2.INTER_AREA)
                for face in faces
            ]
        )
        self._points = np.stack(
            [
                crops.transform_points(
                    crops.resize_transform(face.image.shape[:2], size), face.points_xy
                )
                for face in faces
            ]
        )

    def choose(self, points_xy: np.ndarray, seed: str) -> int:
        """Returns the number of the face to use for a source.

        The people are ranked by their best photo's mean landmark distance to the
        source, both in the crop frame: near means alike in pose and expression. One of
        the best few is drawn.

        Args:
          points_xy: float [68, 2], the source's landmarks in its crop.
          seed: what the draw depends on; the same seed draws the same.
        """
        distances = np.linalg.norm(self._points - points_xy, axis=-1).mean(-1)
        best: dict[str, int] = {}
        for number in np.argsort(distances, kind="stable"):
            best.setdefault(self._identities[number], int(number))
        candidates = list(best.values())[:NUM_BEST]
        digest = hashlib.sha256(seed.encode()).digest()
        return candidates[int.from_bytes(digest[:8], "big") % len(candidates)]

    def get(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns uint8 [H, W, 3] and float32 [68, 2] of a face."""
        return self._images[number], self._points[number]


def load_conditions(
    condition: str, size: tuple[int, int], detector: landmarks.DlibLandmarks
) -> Conditions:
    """Returns the conditions that a user asked for.

    Args:
      condition: "auto" or the path of a photo.
      size: (height, width) of the generator's pictures.
      detector: finds the face in the photo.

    Raises:
      ConditionError: the photo shows no face.
      PhotoError: the photo cannot be read.
    """
    if condition == AUTO:
        records = FaceRecords(EMBEDDED)
        return Conditions(records.read(range(len(records))), size)
    image = photos.read_photo(condition)
    faces = detector.detect_any(image)
    if not faces:
        raise ConditionError(f"{condition}: no face found in the condition photo")
    face = landmarks.main_face(faces, image.shape)
    matrix = crops.celeba_transform(face.points_xy, size)
    record = FaceRecord(
        image=crops.crop_photo(image, matrix, size),
        points_xy=crops.transform_points(matrix, face.points_xy),
        identity=pathlib.Path(condition).stem,
        file=pathlib.Path(condition).name,
        crop=matrix.astype(np.float32),
        score=face.score,
    )
    return Conditions([record], size)
