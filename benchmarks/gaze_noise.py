"""What the evaluation's gaze differs by where the eyes have not moved.

    python -m benchmarks.gaze_noise LFW LONDON/neutral --count 120

Each photo is compared with itself mirrored, moved, made smaller, turned and saved as
JPEG, and with the photo of somebody else; where all look into the camera, the last
tells what a new face alone costs. Angles in radians.
"""

import io
import pathlib
import random
from collections.abc import Iterator

import click
import cv2
import numpy as np
import tqdm
from PIL import Image

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.evaluation.collect.eye_windows import eye_windows
from anonygan_jax.evaluation.collect.gaze import IrisNetwork, gaze_difference
from anonygan_jax.evaluation.collect.inputs import ANGLES
from anonygan_jax.faces.face import main_face
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import read_photo

SEED = 1
SHIFT = np.array([[1, 0, 3.4], [0, 1, -2.3]])  # pixels
TURN = 7  # degrees
MIRRORED = "mirrored"


class GazeObserver:
    """dlib's landmarks and the iris network."""

    def __init__(self) -> None:
        self._detect, self._network = DlibLandmarks(), IrisNetwork()

    def __call__(self, photo: np.ndarray) -> np.ndarray:
        """Returns float [2], yaw and pitch; NaN without a face or with a shut eye."""
        faces = self._detect.detect_any(photo)
        if not faces:
            return np.full(2, np.nan)
        windows = eye_windows(photo, main_face(faces, photo.shape).points_xy)
        return self._network(windows[None])[ANGLES][0]


def variants(photo: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yields a photo in which the eyes look to the same side, but once."""
    size = photo.shape[1::-1]
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), TURN, 1)
    jpeg = io.BytesIO()
    Image.fromarray(photo).save(jpeg, "JPEG", quality=50)
    yield MIRRORED, np.ascontiguousarray(photo[:, ::-1])
    yield "moved", cv2.warpAffine(photo, SHIFT, size, borderMode=cv2.BORDER_REPLICATE)
    yield "turned", cv2.warpAffine(photo, turn, size, borderMode=cv2.BORDER_REPLICATE)
    for share in (0.8, 0.5):
        small = cv2.resize(
            photo, None, fx=share, fy=share, interpolation=cv2.INTER_AREA
        )
        yield f"at {share} of its size", small
    yield "as JPEG, quality 50", np.asarray(Image.open(jpeg))


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--count", default=120, help="Photos of each folder, at most.")
def main(folders: tuple[str, ...], count: int) -> None:
    """Prints median, mean and number of the angles between gazes of a folder."""
    observe = GazeObserver()
    for folder in folders:
        paths = [p.path for p in find_photos([folder]) if p.kind == PHOTO]
        random.Random(SEED).shuffle(paths)
        gazes: list[np.ndarray] = []
        apart: dict[str, list[float]] = {}
        for path in tqdm.tqdm(paths[:count], folder):
            photo = read_photo(pathlib.Path(path))
            gazes.append(observe(photo))
            for name, variant in variants(photo):
                again = observe(variant) * ([-1, 1] if name == MIRRORED else [1, 1])
                apart.setdefault(name, []).append(gaze_difference(gazes[-1], again))
        others = gazes[1:] + gazes[:1]
        apart["another photo"] = [
            gaze_difference(*pair) for pair in zip(gazes, others, strict=True)
        ]
        for name, angles in apart.items():
            known = np.array(angles)[np.isfinite(angles)]
            click.echo(
                f"{folder}, {name}: median {np.median(known):.3f}, mean "
                f"{known.mean():.3f}, {len(known)} of {len(angles)} photos"
            )


if __name__ == "__main__":
    main()
