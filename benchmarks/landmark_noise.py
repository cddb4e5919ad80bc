"""Pose error and re-identification of a method, by noise of the landmarks.

    python -m benchmarks.landmark_noise PHOTOS --methods warp,anonygan:runs/faces \\
        --count 100 --output noise.png

Landmarks of each face get normal noise, in pixels of CelebA's frame, in which a face is
about 90 wide. The result is compared with the landmarks that dlib finds in the
photo. Prints a table with 95% intervals and plots it.
"""

import dataclasses
import pathlib

import click
import matplotlib
import numpy as np
import tqdm

from anonygan_jax.anonymise.anonymiser import FACE, Anonymiser
from anonygan_jax.anonymise.errors import NoFaceError
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.detection.centerface import CenterFace
from anonygan_jax.detection.detector import Detection, FaceDetector
from anonygan_jax.detection.face_mesh import FaceMesh
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.evaluation.collect.pose import pose_distance
from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import NUM_LANDMARKS, Face
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import read_photo
from anonygan_jax.recognition.thresholds import SAME_PERSON

matplotlib.use("Agg")
from matplotlib import pyplot

NOISE = (0, 1, 2, 4, 8)  # pixels of CelebA's frame


class NoisyDetector(FaceDetector):
    """Detects faces, and adds noise to their landmarks."""

    noise, seed = 0.0, 0

    def face(self, photo: np.ndarray, found: Detection) -> Face:
        """Returns as `FaceDetector`, with noise."""
        face = super().face(photo, found)
        if not len(face.points_xy):
            return face
        matrix = alignment.celeba_transform(face.points_xy, alignment.CELEBA_SIZE)
        pixel = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        rng = np.random.default_rng(self.seed)
        noise = self.noise * pixel * rng.normal(size=(NUM_LANDMARKS, 2))
        points = (face.points_xy + noise).astype(np.float32)
        return dataclasses.replace(face, points_xy=points)


def measure(
    anonymiser: Anonymiser,
    observer: FaceObserver,
    paths: list[pathlib.Path],
    noise: float,
) -> tuple[Estimate, Estimate]:
    """Mean pose distance and share of re-identified faces."""
    detector = anonymiser.detector
    assert isinstance(detector, NoisyDetector)
    detector.noise, poses, reidentified = noise, [], []
    for number, path in enumerate(tqdm.tqdm(paths, f"{noise} px", leave=False)):
        detector.seed = number
        photo = read_photo(path)
        try:
            original = observer.original(photo)
            result = anonymiser(photo, seed=path.name).image
        except NoFaceError:
            continue
        if original is None:
            continue
        face = observer.result(result, original)
        distance = np.linalg.norm(face.descriptor - original.descriptor)
        reidentified.append(bool(distance < SAME_PERSON))
        if face.detected:
            poses.append(float(pose_distance(original.points_xy, face.points_xy)))
    return estimates.mean(np.array(poses)), estimates.share(np.array(reidentified))


@click.command()
@click.argument("photos", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--methods", default="warp,anonygan", show_default=True)
@click.option("--count", default=100, show_default=True)
@click.option("--output", required=True, type=click.Path(path_type=pathlib.Path))
def main(photos: pathlib.Path, methods: str, count: int, output: pathlib.Path) -> None:
    """Prints a table and draws it."""
    found = [p.path for p in find_photos([photos]) if p.kind == PHOTO]
    paths = found[:: max(1, len(found) // count)][:count]
    observer = FaceObserver(use_mtcnn=False)
    results = {}
    click.echo(
        "| method | noise, pixels | pose L2 | re-identified |\n|---|---|---|---|"
    )
    for text in methods.split(","):
        settings = Settings.of_method(text)
        anonymiser = Anonymiser(
            settings.method,
            settings.checkpoint,
            consistent=FACE,
            detector=NoisyDetector([CenterFace()], FaceMesh()),
        )
        rows = [measure(anonymiser, observer, paths, noise) for noise in NOISE]
        for noise, (pose, again) in zip(NOISE, rows, strict=True):
            click.echo(
                f"| {text} | {noise} | {pose.value:.4f} [{pose.low:.4f}, "
                f"{pose.high:.4f}] | {again.value:.1%} [{again.low:.1%}, "
                f"{again.high:.1%}] |"
            )
        results[text] = rows
    draw(results, output)


def draw(
    results: dict[str, list[tuple[Estimate, Estimate]]], output: pathlib.Path
) -> None:
    """Plots pose and re-identification of each method over NOISE."""
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 3.5))
    for text, rows in results.items():
        for axis, estimate in zip(axes, zip(*rows, strict=True), strict=True):
            values = np.array([(e.value, e.low, e.high) for e in estimate]).T
            errors = np.abs(values[1:] - values[0])
            axis.errorbar(NOISE, values[0], errors, label=text, capsize=3)
    for axis, title in zip(axes, ("pose distance", "re-identified"), strict=True):
        axis.set_xlabel("noise of the landmarks, pixels")
        axis.set_title(title)
        axis.set_ylim(bottom=0)
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(output, dpi=110)


if __name__ == "__main__":
    main()
