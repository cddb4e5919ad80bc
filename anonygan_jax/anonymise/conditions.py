"""Whose face is put there: one given photo, or the best of the embedded composites."""

import hashlib
import itertools
import pathlib

import numpy as np

from anonygan_jax.data import crops, landmarks, photos
from anonygan_jax.data.descriptors import DlibDescriptor
from anonygan_jax.data.records import EMBEDDED, FaceRecord, FaceRecords
from anonygan_jax.methods import Faces, MethodError

AUTO = "auto"
FRAME = (220, 180)  # height, width of a given photo's crop, as of the composites
STRANGER = 0.7  # descriptor distance; dlib takes 0.6 and less for one person
NUM_BEST = 5  # the condition is drawn among as many best fitting people


class ConditionError(ValueError):
    """A condition photo that can't be used."""


class NoConditionError(MethodError):
    """No condition may be used for a face."""


class Conditions:
    """Faces to choose a condition from, all in one frame.

    Attributes:
      size: (height, width) of the frame.
      names: what each face is called.
    """

    def __init__(self, faces: list[FaceRecord], describe: DlibDescriptor) -> None:
        """Keeps the faces, at least one, all of one size."""
        self._describe = describe
        self._descriptors: dict[int, np.ndarray] = {}  # of the faces asked for so far
        height, width = faces[0].image.shape[:2]
        self.size = (height, width)
        self.names = [f"{face.identity}/{face.file}" for face in faces]
        self._identities = [face.identity for face in faces]
        self._images = np.stack([face.image for face in faces])
        self._points = np.stack([face.points_xy for face in faces])

    def choose(self, points_xy: np.ndarray, descriptor: np.ndarray, seed: str) -> int:
        """Returns the number of the face to use for a source.

        The people are ranked by their best photo's mean landmark distance to the
        source: near means alike in pose and expression. Those who resemble the source
        are passed over. One of the best few of the others is drawn.

        Args:
          points_xy: float [68, 2], the source's landmarks in this frame.
          descriptor: float [128], whom the source looks like.
          seed: what the draw depends on; the same seed draws the same.

        Raises:
          NoConditionError: everybody resembles the source.
        """
        distances = np.linalg.norm(self._points - points_xy, axis=-1).mean(-1)
        best: dict[str, int] = {}
        for number in np.argsort(distances, kind="stable"):
            best.setdefault(self._identities[number], int(number))
        strangers = (n for n in best.values() if self._is_stranger(n, descriptor))
        candidates = list(itertools.islice(strangers, NUM_BEST))
        if not candidates:
            raise NoConditionError("every condition resembles the source")
        digest = hashlib.sha256(seed.encode()).digest()
        return candidates[int.from_bytes(digest[:8], "big") % len(candidates)]

    def _is_stranger(self, number: int, descriptor: np.ndarray) -> bool:
        """Does a face look like somebody else than the descriptor's person?"""
        if number not in self._descriptors:
            image, points = self._images[number], self._points[number]
            self._descriptors[number] = self._describe(image, points)
        distance = np.linalg.norm(self._descriptors[number] - descriptor)
        return bool(distance >= STRANGER)

    def get(self, number: int) -> Faces:
        """Returns one face as a batch."""
        mask = np.ones((1, *self.size), np.float32)
        return Faces(self._images[[number]], self._points[[number]], mask)


def load_conditions(
    condition: str, detector: landmarks.DlibLandmarks, describe: DlibDescriptor
) -> Conditions:
    """Returns the conditions that a user asked for.

    Args:
      condition: "auto" or the path of a photo.
      detector: finds the face in the photo.
      describe: tells whom a face looks like.

    Raises:
      ConditionError: the photo shows no face.
      PhotoError: the photo cannot be read.
    """
    if condition == AUTO:
        records = FaceRecords(EMBEDDED)
        return Conditions(records.read(range(len(records))), describe)
    image = photos.read_photo(condition)
    faces = detector.detect_any(image)
    if not faces:
        raise ConditionError(f"{condition}: no face found in the condition photo")
    face = landmarks.main_face(faces, image.shape)
    matrix = crops.celeba_transform(face.points_xy, FRAME)
    record = FaceRecord(
        image=crops.crop_photo(image, matrix, FRAME),
        points_xy=crops.transform_points(matrix, face.points_xy),
        identity=pathlib.Path(condition).stem,
        file=pathlib.Path(condition).name,
        crop=matrix.astype(np.float32),
        score=face.score,
    )
    return Conditions([record], describe)
