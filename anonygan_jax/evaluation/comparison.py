"""One photo before and after: is there a face, whose, and where are its landmarks?"""

import dataclasses

import numpy as np

from anonygan_jax.data.descriptors import DlibDescriptor
from anonygan_jax.data.landmarks import DlibLandmarks, Face
from anonygan_jax.evaluation import pose


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a face's two photos have in common.

    Attributes:
      detected: dlib finds a face at the same place.
      descriptor_distance: Euclidean, of dlib's descriptors; below 0.6 means one person.
      pose_l2, pose_l1: see `evaluation.pose`; NaN where no face is detected.
    """

    detected: bool
    descriptor_distance: float
    pose_l2: float
    pose_l1: float


class Comparer:
    """Compares photos with dlib's detector (photo doubled once) and descriptor."""

    def __init__(self) -> None:
        """Loads the models.

        Raises:
          LandmarksUnavailable: dlib or its models are missing.
        """
        self._detector = DlibLandmarks()
        self._describe = DlibDescriptor()

    def __call__(self, before: np.ndarray, face: Face, after: np.ndarray) -> Comparison:
        """Returns how the face of a photo compares with what replaced it.

        Where no face is found in the result the descriptor is computed with the
        landmarks of the source: who knows the original can do that.

        Args:
          before, after: uint8 [H, W, 3] RGB, of one size.
          face: the face in `before`.
        """
        found = face_at(self._detector.detect(after, num_upsamples=1), face)
        points = found.points_xy if found else face.points_xy
        distance = np.linalg.norm(
            self._describe(before, face.points_xy) - self._describe(after, points)
        )
        l2 = l1 = float("nan")
        if found:
            l2 = float(pose.pose_distance(face.points_xy, points))
            l1 = float(pose.pose_distance_l1(face.points_xy, points))
        return Comparison(found is not None, float(distance), l2, l1)


def face_at(faces: list[Face], place: Face) -> Face | None:
    """Returns the face whose box has its centre in the box of `place`; the surest."""
    low, high = place.box_xyxy[:2], place.box_xyxy[2:]
    for face in faces:
        centre = (face.box_xyxy[:2] + face.box_xyxy[2:]) / 2
        if (centre >= low).all() and (centre <= high).all():
            return face
    return None
