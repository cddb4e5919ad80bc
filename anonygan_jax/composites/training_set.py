"""The embedded training set: composites in several poses and expressions.

    python -m anonygan_jax.composites.training_set LONDON --output DIR

LONDON is the Face Research Lab London Set: info.csv and folders neutral/ and smiling/
of NNN.jpg. The embedded data set was made by this command and by `anonygan prepare DIR
--output anonygan_jax/assets/composites`.
"""

import csv
import pathlib

import click
import numpy as np
import tqdm
from PIL import Image

from anonygan_jax.composites.donors import CANVAS, Portrait, read_donors
from anonygan_jax.composites.generate import CompositeGenerator
from anonygan_jax.faces import delaunay
from anonygan_jax.faces.face import JAW
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET

EXPRESSIONS = ("neutral", "smiling")
NEAREST = {DLIB: "nearest_donor", MOBILEFACENET: "nearest_donor_mobilefacenet"}

# name, share of the smile, yaw and pitch in degrees
POSES = (
    ("neutral", 0.0, 0, 0),
    ("smiling", 1.0, 0, 0),
    ("neutral_left", 0.0, -10, 3),
    ("smiling_right", 1.0, 10, -3),
    ("half_smile", 0.5, 5, 4),
)


def pose_pictures(faces: dict[str, Portrait]) -> dict[str, np.ndarray]:
    """Returns pictures by POSES, uint8 [H, W, 3], of portraits by EXPRESSIONS."""
    pictures = {}
    for name, smile, yaw, pitch in POSES:
        weights = np.array([1 - smile, smile])
        face = average([faces[e] for e in EXPRESSIONS], weights)
        turned = turn_points(face.points, yaw, pitch)
        pictures[name] = delaunay.warp_to_points(face.image, face.points, turned)
    return pictures


def average(portraits: list[Portrait], weights: np.ndarray) -> Portrait:
    """Returns the weighted mean of portraits, warped to their weighted mean shape.

    Args:
      weights: float [n], sums to 1.

    Returns:
      A portrait without descriptors.
    """
    points = sum(w * p.points for w, p in zip(weights, portraits, strict=True))
    image = np.zeros((*CANVAS, 3), np.float32)
    for weight, portrait in zip(weights, portraits, strict=True):
        image += weight * delaunay.warp_to_points(
            portrait.image.astype(np.float32), portrait.points, points
        )
    return Portrait(np.rint(image).astype(np.uint8), points, {})


def turn_points(points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Returns mesh points after a turn of the head; the border is unchanged.

    The head is modelled as an ellipsoid as wide as the jaw. The points are on its
    surface, and the nose protrudes. The model holds for turns of about ten degrees.

    Args:
      yaw, pitch: degrees.
    """
    num_border = len(delaunay.border_points(CANVAS))
    head, border = points[:-num_border], points[-num_border:]
    jaw = head[list(JAW)]
    radius = np.linalg.norm(jaw[16] - jaw[0]) / 2
    centre = (jaw[0] + jaw[16]) / 2
    x, y = (head - centre).T / radius
    depth = np.sqrt(np.maximum(0.0, 1 - (x / 1.1) ** 2 - (y / 1.5) ** 2))
    depth[27:36] += np.array([0.05, 0.12, 0.2, 0.28, 0.12, 0.14, 0.16, 0.14, 0.12])
    yaw, pitch = np.deg2rad([yaw, pitch])
    x, depth = (
        np.cos(yaw) * x + np.sin(yaw) * depth,
        np.cos(yaw) * depth - np.sin(yaw) * x,
    )
    y = np.cos(pitch) * y - np.sin(pitch) * depth
    return np.concatenate([np.stack([x, y], -1) * radius + centre, border])


@click.command()
@click.argument(
    "london", type=click.Path(path_type=pathlib.Path, exists=True, file_okay=False)
)
@click.option(
    "--output", required=True, type=click.Path(path_type=pathlib.Path, file_okay=False)
)
@click.option("--count", default=48, show_default=True, help="People to make.")
@click.option("--seed", default=0, show_default=True)
def main(london: pathlib.Path, output: pathlib.Path, count: int, seed: int) -> None:
    """Writes OUTPUT/PERSON/PICTURE.png and OUTPUT/donors.csv from the LONDON set."""
    generator = CompositeGenerator(read_donors(london), seed=seed)
    output.mkdir(parents=True, exist_ok=True)
    with (output / "donors.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["person", *NEAREST.values(), "donors"])
        made = generator.composites(count)
        for number, composite in enumerate(tqdm.tqdm(made, total=count)):
            folder = output / f"composite_{number:03d}"
            folder.mkdir(exist_ok=True)
            for name, picture in pose_pictures(composite.faces).items():
                Image.fromarray(picture).save(folder / f"{name}.png")
            donors = " ".join(f"{k}:{w}" for k, w in composite.shares().items())
            nearest = [f"{composite.nearest_donor[name]:.3f}" for name in NEAREST]
            table.writerow([folder.name, *nearest, donors])


if __name__ == "__main__":
    main()
