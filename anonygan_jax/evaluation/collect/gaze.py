"""Gaze: where both eyes look, from the irises that MediaPipe's network finds.

Source: Ablavatski et al. 2020, "Real-time pupil tracking from monocular video for
digital puppetry"; the network of mediapipe 0.10.14 (Apache-2.0), see assets/detectors.
Differs: the mean over five windows of an eye is taken.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float

from anonygan_jax.evaluation.collect import inputs
from anonygan_jax.evaluation.collect.eye_windows import in_eye_widths
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile

NETWORK = ASSETS / "detectors" / "iris_landmark.onnx"
BATCH_SIZE = 64
RADIUS = 12 / 30  # of an eyeball, over the distance of the eye's corners, mm
MIN_OPENING = 0.1  # mean gap of the lids over the distance of the corners: else shut
# Of the network's 71 points of an eye: its corners, then both lids between them.
OUTER, INNER, LOWER, UPPER = 0, 8, slice(1, 8), slice(9, 16)


class IrisNetwork:
    """Finds irises and tells where they look; is called as a `FrozenNetwork`."""

    name = picture = inputs.GAZE
    batch_size = BATCH_SIZE

    def __init__(self) -> None:
        """Loads the network; raises as `OnnxFile`."""
        self._file = OnnxFile(NETWORK, num_threads=1)  # small

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Returns ANGLES float64 [B, 2], see `gaze_angles`.

        Args:
          batch: uint8 [B, 2, 5, 64, 64, 3], see `eye_windows`.
        """
        with ThreadPoolExecutor() as pool:
            return {inputs.ANGLES: np.stack(list(pool.map(self._angles, batch)))}

    def points(
        self, windows: np.ndarray
    ) -> tuple[Float[np.ndarray, "2 5 71 2"], Float[np.ndarray, "2 5 5 2"]]:
        """Returns points of eyes and irises, float32, in pixels of the windows.

        Args:
          windows: uint8 [2, 5, 64, 64, 3].
        """
        pictures = windows.reshape(-1, 1, *windows.shape[2:]).astype(np.float32) / 255
        found = [self._file(picture) for picture in pictures]
        eyes, irises = (
            np.stack([part[kind] for part in found]).reshape(*windows.shape[:2], -1, 3)
            for kind in (0, 1)
        )
        return eyes[..., :2], irises[..., :2]

    def _angles(self, windows: np.ndarray) -> np.ndarray:
        """The gaze of one face."""
        eyes, irises = (in_eye_widths(points) for points in self.points(windows))
        return gaze_angles(eyes.mean(1), irises.mean(1))


def gaze_angles(
    eyes: Float[np.ndarray, "2 71 2"], irises: Float[np.ndarray, "2 5 2"]
) -> Float[np.ndarray, "2"]:
    """Returns yaw and pitch of the gaze in the head, radians; NaN where an eye is shut.

    Yaw is positive when the eyes look to the image's right, pitch when they look up.
    An eye's angles are the arc sines of the iris' offset from the middle of the
    corners, over the eyeball's radius; the gaze is the mean of both eyes. Eyes that
    look ahead have a pitch of about 0.2, as the iris is above the middle: only
    differences have a meaning.

    Source: the radius, 12 mm, Bekerman et al. 2014, "Variations in eyeball diameters
    of the healthy adults"; the corners, 30 mm apart, Farkas 1994, "Anthropometry of the
    head and face".

    Args:
      eyes: float [2, 71, 2], the network's points of the level eyes, any unit; the
        left eye first, the right one mirrored.
      irises: float [2, 5, 2], centre and rim of the irises, in the same unit.
    """
    outer, inner = eyes[:, OUTER], eyes[:, INNER]
    width = np.maximum(np.linalg.norm(inner - outer, axis=-1), 1e-6)
    opening = (eyes[:, LOWER, 1].mean(1) - eyes[:, UPPER, 1].mean(1)) / width
    if opening.min() < MIN_OPENING:
        return np.full(2, np.nan)
    offset = irises.mean(1) - (outer + inner) / 2
    sines = offset / (RADIUS * width[:, None]) * [[1, -1], [-1, -1]]
    return np.arcsin(np.clip(sines, -1, 1)).mean(0)


def gaze_difference(
    before: Float[np.ndarray, "2"], after: Float[np.ndarray, "2"]
) -> float:
    """Returns the angle between two gazes, radians; NaN where one has no angles.

    Args:
      before, after: float [2], yaw and pitch, radians.
    """
    chord = np.linalg.norm(_direction(before) - _direction(after))
    return float(2 * np.arcsin(np.minimum(chord / 2, 1)))


def _direction(angles: np.ndarray) -> np.ndarray:
    """Unit vector of a gaze, float [3]."""
    yaw, pitch = angles
    return np.array(
        [np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)]
    )
