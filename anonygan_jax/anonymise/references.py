"""People who are known by photos: whose faces are kept, or alone are hidden."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from anonygan_jax.anonymise.errors import PolicyError
from anonygan_jax.anonymise.identity_check import IdentityCheck
from anonygan_jax.detection.boxes import covered_share
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.faces.face import Face
from anonygan_jax.io.photos import read_photo
from anonygan_jax.recognition.thresholds import (
    CERTAINLY_SAME_DISTANCES,
    SAME_PERSON_DISTANCES,
)

# Pixels of a box's longer side. Of LFW's people dlib takes 0 of 220 for somebody else
# (above 0.7) from here on, 3% of 215 at 18 pixels, 14% of 178 at 14.
MIN_SIDE = 32
MAX_OVERLAP = 0.05  # of the smaller box; else a descriptor may be of two faces

Descriptors = Mapping[str, np.ndarray]  # by the recogniser's name, see `IdentityCheck`


@dataclasses.dataclass(frozen=True)
class References:
    """Photos of people, as recognisers see them.

    Attributes:
      descriptors: float32 [N, D] of N photos, by the recogniser's name.
    """

    descriptors: Descriptors

    def distances(self, descriptors: Descriptors) -> dict[str, np.ndarray]:
        """Returns the distances of a face to each photo, float [N] by recogniser.

        Args:
          descriptors: of the face, float [D] by each recogniser of the photos.
        """
        return {
            name: np.linalg.norm(known - descriptors[name], axis=-1)
            for name, known in self.descriptors.items()
        }

    def people(self) -> np.ndarray:
        """Returns the number of each photo's person, int [N].

        Photos are of one person if any recogniser says so, or by way of others: of two
        people who are taken for one, one is kept in an image.
        """
        # SciPy takes 0.3 s to import.
        from scipy.sparse.csgraph import connected_components

        return connected_components(_are_near(self, self, SAME_PERSON_DISTANCES))[1]


def check_references(keep: References, only: References) -> None:
    """Accepts photos of different people.

    Raises:
      PolicyError: a person is among both, beyond doubt to any recogniser.
    """
    is_same = _are_near(keep, only, CERTAINLY_SAME_DISTANCES)
    if is_same.any():
        first, second = np.argwhere(is_same)[0] + 1
        raise PolicyError(
            f"--keep photo {first} and --only photo {second} show one person; "
            "leave one of them out"
        )


def read_references(
    paths: tuple[str, ...], detector: FaceDetector, check: IdentityCheck
) -> References | None:
    """Returns what recognisers see in reference photos; None without photos.

    Args:
      paths: photos of one face each.

    Raises:
      PolicyError: a photo shows no face with landmarks, or several faces.
      PhotoError: a photo cannot be read.
    """
    if not paths:
        return None
    described = []
    for path in paths:
        photo = read_photo(pathlib.Path(path))
        face = _only_face(path, detector(photo))
        described.append(check.describe(photo, face.points_xy))
    names = described[0].keys()
    return References({n: np.stack([one[n] for one in described]) for n in names})


def _only_face(path: str, faces: list[Face]) -> Face:
    """The face of a reference photo; PolicyError if it is not the one wanted."""
    if len(faces) != 1 or not len(faces[0].points_xy):
        raise PolicyError(
            f"{path}: {len(faces)} faces found in the reference photo, wanted one "
            "that is clearly seen; crop it"
        )
    if not is_clear(faces[0], []):
        raise PolicyError(
            f"{path}: the face is below {MIN_SIDE} pixels; take a larger photo"
        )
    return faces[0]


def is_clear(face: Face, others: list[Face]) -> bool:
    """Returns whether a face can be recognised: it is large, and none covers it."""
    size = face.box_xyxy[2:] - face.box_xyxy[:2]
    shares = [covered_share(face.box_xyxy, other.box_xyxy) for other in others]
    return bool(size.max() >= MIN_SIDE) and max(shares, default=0) <= MAX_OVERLAP


def _are_near(
    some: References, others: References, thresholds: Mapping[str, float]
) -> np.ndarray:
    """Whether any recogniser sees photos nearer than its threshold, bool [N, M]."""
    near = [
        np.linalg.norm(one[:, None] - others.descriptors[name], axis=-1)
        < thresholds[name]
        for name, one in some.descriptors.items()
    ]
    return np.any(near, axis=0)
