"""Two photos of each of many people, and what recognisers see in results."""

import dataclasses
import pathlib
from collections.abc import Mapping

import click
import numpy as np
import tqdm

from anonygan_jax.anonymise.crop import crop_face
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.evaluation.metrics.estimates import share
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.faces.face import Face, main_face
from anonygan_jax.io.photos import read_photo
from anonygan_jax.methods.method import MethodError
from anonygan_jax.methods.pixelate import Pixelate
from anonygan_jax.methods.warp import Warp
from anonygan_jax.recognition.descriptor import Descriptor
from anonygan_jax.recognition.table import RECOGNISERS
from benchmarks.outside_judge import OutsideJudge

FARS = (1e-2, 1e-3)
OUTSIDE = "outside"

Descriptors = dict[str, np.ndarray]  # of one face, by recogniser


@dataclasses.dataclass(frozen=True)
class Pair:
    """A photo of a person, the main face in it, and another photo of the person."""

    photo: np.ndarray
    face: Face
    other: np.ndarray
    other_face: Face


def recognisers(judge: pathlib.Path | None) -> dict[str, Descriptor]:
    """Returns the packaged recognisers, and the outside judge if its file is given."""
    made = {n: known.make() for n, known in RECOGNISERS.items() if known.make}
    return made | ({OUTSIDE: OutsideJudge(judge)} if judge else {})


def photo_pairs(photos: pathlib.Path, count: int, detector: FaceDetector) -> list[Pair]:
    """Returns pairs of people drawn from a folder with a folder for each person.

    The tool pixelates profiles; they are left out.
    """
    people = [p for p in sorted(photos.iterdir()) if len(list(p.iterdir())) > 1]
    np.random.default_rng(7).shuffle(people)
    pairs = []
    for person in tqdm.tqdm(people[:count], desc="detect"):
        seen = [_main_face(path, detector) for path in sorted(person.iterdir())[:2]]
        (photo, face), (other, other_face) = seen
        if face and other_face and _can_be_replaced(photo, face):
            pairs.append(Pair(photo, face, other, other_face))
    return pairs


def _can_be_replaced(photo: np.ndarray, face: Face) -> bool:
    """Whether all that is to be hidden is inside the crops of all methods."""
    try:
        for method in (Warp(), Pixelate()):
            crop_face(photo, face, method)
    except (MethodError, DegenerateFaceError):
        return False
    return True


def _main_face(
    path: pathlib.Path, detector: FaceDetector
) -> tuple[np.ndarray, Face | None]:
    """A photo and its main face, if one with landmarks is found."""
    photo = read_photo(path)
    faces = [face for face in detector(photo) if len(face.points_xy)]
    return photo, main_face(faces, photo.shape) if faces else None


def described(
    image: np.ndarray, points: np.ndarray, asked: Mapping[str, Descriptor]
) -> Descriptors:
    """Returns a face's descriptors by all recognisers."""
    return {name: describe(image, points) for name, describe in asked.items()}


def limits(
    originals: list[Descriptors], others: list[Descriptors]
) -> dict[str, np.ndarray]:
    """Returns by recogniser the distances at FARS, of all pairs of different people."""
    made = {}
    for name in originals[0]:
        a, b = (np.stack([one[name] for one in seen]) for seen in (originals, others))
        apart = [np.linalg.norm(a[:, None] - x, axis=-1) for x in (a, b)]
        strangers = ~np.eye(len(a), dtype=bool)
        made[name] = np.quantile(np.concatenate([x[strangers] for x in apart]), FARS)
    return made


def row(
    title: str,
    results: list[Descriptors],
    originals: list[Descriptors],
    others: list[Descriptors],
) -> None:
    """Prints for each recogniser how many results it accepts as the person.

    By another photo at FAR 1% with its interval, at 0.1%, and by their own original at
    1%.
    """
    cells = []
    for name, (percent, permille) in limits(originals, others).items():
        far, own = (
            np.array(
                [
                    np.linalg.norm(x[name] - y[name])
                    for x, y in zip(results, seen, strict=True)
                ]
            )
            for seen in (others, originals)
        )
        known = share(far < percent)
        cells.append(
            f"{known.value:.1%} [{known.low:.1%}, {known.high:.1%}] / "
            f"{(far < permille).mean():.1%} / {(own < percent).mean():.1%}"
        )
    click.echo(f"| {title} | {' | '.join(cells)} |")


def header(names: list[str]) -> None:
    """Prints the table's head."""
    titles = " | ".join(f"{name}: other photo 1% / 0.1% / own 1%" for name in names)
    click.echo(f"| result | {titles} |\n|---|{'---|' * len(names)}")
