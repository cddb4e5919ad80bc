"""Faces of people who do not exist: weighted averages of five or more portraits.

    python -m anonygan_jax.data.composites LONDON --output DIR

LONDON is the Face Research Lab London Set as folders neutral/ and smiling/ of NNN.jpg
and info.csv. The embedded data set was made so, and then by
`anonygan prepare DIR --output anonygan_jax/assets/composites`.
"""

import csv
import dataclasses
import pathlib
from collections.abc import Iterator

import click
import numpy as np
import tqdm
from PIL import Image

from anonygan_jax.data import crops, landmarks, mesh, photos
from anonygan_jax.data.descriptors import DlibDescriptor

EXPRESSIONS = ("neutral", "smiling")
MIN_DONORS, MAX_DONORS = 5, 8
MAX_WEIGHT = 0.4  # of a single donor
DIRICHLET = 2.0  # concentration of the weights
NEAREST_DONOR = 0.5  # a composite nearer to any person of the set is rejected
SAME_GROUP = (
    0.7  # share of composites whose donors are of one ethnic group if it can be
)

FACE_SIZE = (330, 270)  # CelebA's frame, half as large again as the records
MARGIN = 60  # pixels around it, so that posed faces can be framed anew
CANVAS = (FACE_SIZE[0] + 2 * MARGIN, FACE_SIZE[1] + 2 * MARGIN)

# name, share of the smile, yaw and pitch in degrees
POSES = (
    ("neutral", 0.0, 0, 0),
    ("smiling", 1.0, 0, 0),
    ("neutral_left", 0.0, -10, 3),
    ("smiling_right", 1.0, 10, -3),
    ("half_smile", 0.5, 5, 4),
)


@dataclasses.dataclass(frozen=True)
class Portrait:
    """One portrait on the canvas: uint8 [H, W, 3], float64 [M, 2], float32 [128]."""

    image: np.ndarray
    points: np.ndarray
    descriptor: np.ndarray


@dataclasses.dataclass(frozen=True)
class Donor:
    """One person of the set: gender, ethnic group, portrait by expression."""

    name: str
    gender: str
    group: str
    portraits: dict[str, Portrait]


@dataclasses.dataclass(frozen=True)
class Composite:
    """A person who does not exist.

    Attributes:
      donors: names and weights, which sum to 1.
      nearest_donor: descriptor distance to the nearest person of the set.
      pictures: name -> uint8 [H, W, 3].
    """

    donors: dict[str, float]
    nearest_donor: float
    pictures: dict[str, np.ndarray]


class Laboratory:
    """Detector, descriptor and donors: what composites are made with."""

    def __init__(self, directory: pathlib.Path) -> None:
        """Reads the set.

        Raises:
          PhotoError: a portrait is missing, unreadable or shows no face.
        """
        self.detector = landmarks.DlibLandmarks()
        self.describe = DlibDescriptor()
        with (directory / "info.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.donors = [
            Donor(
                row["face_id"],
                row["face_gender"],
                row["face_eth"],
                {
                    e: self._portrait(directory / e / f"{row['face_id']}.jpg")
                    for e in EXPRESSIONS
                },
            )
            for row in tqdm.tqdm(rows, desc="portraits")
        ]
        self._descriptors = np.stack(
            [p.descriptor for donor in self.donors for p in donor.portraits.values()]
        )

    def _portrait(self, path: pathlib.Path) -> Portrait:
        """A portrait, framed."""
        image = photos.read_photo(path)
        faces = self.detector.detect_any(image)
        if not faces:
            raise photos.PhotoError(f"{path}: no face found")
        points = faces[0].points_xy
        matrix = crops.celeba_transform(points, FACE_SIZE)
        matrix[:, 2] += MARGIN
        return Portrait(
            crops.crop_photo(image, matrix, CANVAS),
            mesh_points(crops.transform_points(matrix, points)),
            self.describe(image, points),
        )

    def nearest_donor(self, picture: np.ndarray) -> float | None:
        """Distance to the nearest person of the set; None if no face is found."""
        faces = self.detector.detect_any(picture)
        if not faces:
            return None
        descriptor = self.describe(picture, faces[0].points_xy)
        return float(np.linalg.norm(self._descriptors - descriptor, axis=1).min())

    def composites(self, count: int, seed: int) -> Iterator[Composite]:
        """Yields `count` composites, each far enough from every person of the set."""
        rng = np.random.default_rng(seed)
        made = 0
        while made < count:
            donors, weights = draw_donors(self.donors, rng)
            faces = {
                e: average([d.portraits[e] for d in donors], weights)
                for e in EXPRESSIONS
            }
            distances = [self.nearest_donor(face.image) for face in faces.values()]
            if any(d is None or d < NEAREST_DONOR for d in distances):
                continue
            made += 1
            names = [donor.name for donor in donors]
            shares = dict(
                zip(names, (round(float(w), 4) for w in weights), strict=True)
            )
            yield Composite(
                shares, min(d for d in distances if d), pose_pictures(faces)
            )


def mesh_points(points_xy: np.ndarray) -> np.ndarray:
    """Returns float64 [M, 2]: landmarks, forehead, border of the canvas."""
    parts = [points_xy, mesh.forehead_points(points_xy), mesh.border_points(CANVAS)]
    return np.concatenate(parts).astype(np.float64)


def draw_donors(
    donors: list[Donor], rng: np.random.Generator
) -> tuple[list[Donor], np.ndarray]:
    """Returns five to eight donors of one gender and their Dirichlet weights."""
    first = donors[rng.integers(len(donors))]
    pool = [d for d in donors if d.gender == first.gender]
    group = [d for d in pool if d.group == first.group]
    if len(group) >= MIN_DONORS and rng.random() < SAME_GROUP:
        pool = group
    count = min(len(pool), int(rng.integers(MIN_DONORS, MAX_DONORS + 1)))
    chosen = [pool[i] for i in rng.choice(len(pool), count, replace=False)]
    weights = rng.dirichlet(np.full(count, DIRICHLET))
    while weights.max() > MAX_WEIGHT:
        weights = rng.dirichlet(np.full(count, DIRICHLET))
    return chosen, weights


def average(portraits: list[Portrait], weights: np.ndarray) -> Portrait:
    """Returns the weighted mean of portraits, warped to their weighted mean shape."""
    points = sum(w * p.points for w, p in zip(weights, portraits, strict=True))
    image = np.zeros((*CANVAS, 3), np.float32)
    for weight, portrait in zip(weights, portraits, strict=True):
        image += weight * mesh.warp_to_points(
            portrait.image.astype(np.float32), portrait.points, points
        )
    return Portrait(np.rint(image).astype(np.uint8), points, np.zeros(0))


def pose_pictures(faces: dict[str, Portrait]) -> dict[str, np.ndarray]:
    """Returns name -> picture for the entries of POSES."""
    pictures = {}
    for name, smile, yaw, pitch in POSES:
        weights = np.array([1 - smile, smile])
        face = average([faces[e] for e in EXPRESSIONS], weights)
        turned = turn_points(face.points, yaw, pitch)
        pictures[name] = mesh.warp_to_points(face.image, face.points, turned)
    return pictures


def turn_points(points: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Returns mesh points after a turn of the head by degrees; the border stays.

    The head is taken for an ellipsoid as wide as the jaw, whose surface the points lie
    on, with the nose standing out; good for turns of ten degrees or so.
    """
    num_border = len(mesh.border_points(CANVAS))
    head, border = points[:-num_border], points[-num_border:]
    jaw = head[list(landmarks.JAW)]
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
    laboratory = Laboratory(london)
    output.mkdir(parents=True, exist_ok=True)
    with (output / "donors.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["person", "nearest_donor", "donors"])
        made = laboratory.composites(count, seed)
        for number, composite in enumerate(tqdm.tqdm(made, total=count)):
            folder = output / f"composite_{number:03d}"
            folder.mkdir(exist_ok=True)
            for name, picture in composite.pictures.items():
                Image.fromarray(picture).save(folder / f"{name}.png")
            donors = " ".join(f"{k}:{w}" for k, w in composite.donors.items())
            table.writerow([folder.name, f"{composite.nearest_donor:.3f}", donors])


if __name__ == "__main__":
    main()
