"""68 landmarks by MediaPipe's face mesh: fast, and robust to yaw and pitch.

Source: Kartynnik et al. 2019, "Real-time facial surface geometry from monocular video
on mobile GPUs"; the network of mediapipe 0.10.14 (Apache-2.0), see assets/detectors.
Differs: of its 468 vertices the usual 68 are taken and moved to where dlib has the same
landmarks, as the networks were trained on dlib's: a linear map of the vertices, fitted
by `benchmarks/mesh_offsets.py`.
"""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces.alignment import crop_photo
from anonygan_jax.faces.face import OUTER_EYE_CORNERS
from anonygan_jax.io.arrays import read_arrays
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile

NETWORK = ASSETS / "detectors" / "face_landmark.onnx"
TO_68 = ASSETS / "detectors" / "mesh_to_68.npz"
SIDE = 192  # pixels of the network's image
MIN_PRESENCE = 0.5  # the network's probability that there is a face
CROP_SCALE = 1.5  # side of the image over the longer side of the face, as in training
FOREHEAD = 0.22  # of the landmarks' height, which the mesh has above the brows
MAX_ROLL_DIFFERENCE = 0.6  # radians between the detector's roll and the mesh's
# Vertices nearest to iBUG's landmarks; the assignment in common use.
VERTICES = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454),
    *(356, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 75, 97, 2),
    *(326, 305, 33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380, 61, 39, 37),
    *(0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87),
)


class MeshNetwork:
    """The network: vertices of a face in a square of a photo."""

    def __init__(self) -> None:
        """Loads the network; raises as `OnnxFile`."""
        self._file = OnnxFile(NETWORK, num_threads=1)  # small

    def __call__(
        self,
        image_u8: UInt8[np.ndarray, "H W 3"],
        centre: Float[np.ndarray, "2"],
        side: float,
        roll: float,
    ) -> Float[np.ndarray, "68 3"] | None:
        """Returns float32 [68, 3], vertices in pixels; depth grows from the camera.

        None where the network finds no face.

        Args:
          centre: float [2], of the square, pixels.
          side: of the square, pixels.
          roll: of the square, radians clockwise.
        """
        scale = SIDE / max(side, 1.0)
        rotation = scale * _rotation(roll)
        matrix = np.column_stack([rotation, SIDE / 2 - 0.5 - rotation @ centre])
        crop = crop_photo(image_u8, matrix, (SIDE, SIDE), cv2.BORDER_CONSTANT)
        found, logit = self._file(crop[None].astype(np.float32) / 255)
        if 1 / (1 + np.exp(-float(logit.reshape(-1)[0]))) < MIN_PRESENCE:
            return None
        mesh = found.reshape(-1, 3)[list(VERTICES)]
        back = (mesh[:, :2] - matrix[:, 2]) @ np.linalg.inv(rotation).T
        return np.column_stack([back, mesh[:, 2] / scale]).astype(np.float32)


class FaceMesh:
    """Landmarker for boxes of all detectors."""

    def __init__(self) -> None:
        """Loads network and map; raises as `OnnxFile`."""
        self._network = MeshNetwork()
        arrays = read_arrays(TO_68, "offsets")
        self._offsets = arrays["offsets"].astype(np.float32)

    def points(
        self,
        image_u8: UInt8[np.ndarray, "H W 3"],
        box_xyxy: Float[np.ndarray, "4"],
        roll: float = 0.0,
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns landmarks; see `Landmarker`.

        None, too, where their roll differs from `roll`: in faces on their side or head
        the network finds faces of another orientation.
        """
        centre = (box_xyxy[:2] + box_xyxy[2:4]) / 2
        side = CROP_SCALE * float(max(box_xyxy[2:4] - box_xyxy[:2]))
        vertices = self._network(image_u8, centre, side, roll)
        if vertices is None:
            return None
        _, _, found = framing(vertices[:, :2])
        if abs(np.angle(np.exp(1j * (found - roll)))) > MAX_ROLL_DIFFERENCE:
            return None
        return self.follow(image_u8, vertices[:, :2])

    def follow(
        self, image_u8: UInt8[np.ndarray, "H W 3"], points_xy: Float[np.ndarray, "68 2"]
    ) -> Float[np.ndarray, "68 2"] | None:
        """Returns landmarks; see `Landmarker`."""
        vertices = self._network(image_u8, *framing(points_xy))
        return None if vertices is None else self._moved(vertices)

    def _moved(self, vertices: np.ndarray) -> np.ndarray:
        """The positions of dlib's landmarks, float32 [68, 2]."""
        rotation, _, width = eye_frame(vertices[:, :2])
        offsets = features(vertices) @ self._offsets
        moved = offsets.reshape(-1, 2) * width @ rotation
        return (vertices[:, :2] + moved).astype(np.float32)


def features(
    vertices: Float[np.ndarray, "68 3"],
) -> Float[np.ndarray, "205"]:
    """Returns float [205]: vertices without roll in interocular distances, and 1."""
    rotation, centre, width = eye_frame(vertices[:, :2])
    upright = (vertices[:, :2] - centre) @ rotation.T / width
    return np.concatenate([upright.ravel(), vertices[:, 2] / width, [1.0]])


def eye_frame(
    points_xy: Float[np.ndarray, "68 2"],
) -> tuple[Float[np.ndarray, "2 2"], Float[np.ndarray, "2"], float]:
    """Returns the rotation that levels the eyes, their middle, their distance."""
    left, right = (points_xy[corner] for corner in OUTER_EYE_CORNERS)
    across = right - left
    roll = float(np.arctan2(across[1], across[0]))
    width = max(float(np.linalg.norm(across)), 1e-6)
    return _rotation(roll), (left + right) / 2, width


def framing(
    points_xy: Float[np.ndarray, "68 2"],
) -> tuple[Float[np.ndarray, "2"], float, float]:
    """Returns centre, side and roll of the network's square around a face."""
    rotation, _, _ = eye_frame(points_xy)
    level = points_xy @ rotation.T
    low, high = level.min(0), level.max(0)
    low[1] -= FOREHEAD * (high[1] - low[1])
    roll = float(np.arctan2(rotation[0, 1], rotation[0, 0]))
    return rotation.T @ ((low + high) / 2), CROP_SCALE * float(max(high - low)), roll


def _rotation(roll: float) -> np.ndarray:
    """Matrix of a rotation, counter-clockwise on the screen, float [2, 2]."""
    c, s = np.cos(roll), np.sin(roll)
    return np.array([[c, s], [-s, c]])
