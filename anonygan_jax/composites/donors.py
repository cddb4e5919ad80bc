"""Donors: people whose portraits are averaged into composites."""

import csv
import dataclasses
import itertools
import pathlib

import numpy as np
import tqdm

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import alignment, delaunay
from anonygan_jax.faces.face import main_face
from anonygan_jax.io import photos
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PICTURES
from anonygan_jax.recognition.descriptor import Descriptor
from anonygan_jax.recognition.table import DLIB, in_package
from anonygan_jax.recognition.thresholds import SAME_PERSON, SAME_PHOTO

INFO_FILE = "info.csv"
ONE_EXPRESSION = "portrait"  # name of the expression of photos without a folder

FACE_SIZE = (440, 360)  # height, width: CelebA's frame at twice the resolution
CANVAS_MARGIN = 80  # pixels around the frame: turned faces are cropped anew
CANVAS = (FACE_SIZE[0] + 2 * CANVAS_MARGIN, FACE_SIZE[1] + 2 * CANVAS_MARGIN)


class DonorError(ValueError):
    """Portraits that cannot become composites; the message has the reason."""


@dataclasses.dataclass(frozen=True)
class Portrait:
    """One aligned portrait.

    Attributes:
      image: uint8 [H, W, 3] of the size CANVAS.
      points: float64 [M, 2], see `mesh_points`.
      descriptors: float32 [D] by recogniser; none where they are not computed.
    """

    image: np.ndarray
    points: np.ndarray
    descriptors: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Donor:
    """One person whose portraits are averaged.

    Attributes:
      name: file name of the portraits, without suffix.
      gender, ethnicity, age: of info.csv; None where they are unknown.
      portraits: by expression.
    """

    name: str
    gender: str | None
    ethnicity: str | None
    age: float | None
    portraits: dict[str, Portrait]


@dataclasses.dataclass(frozen=True)
class Donors:
    """The donors of a folder of portraits.

    Attributes:
      people: donors with a usable portrait in each expression.
      expressions: names of the folders of portraits.
      left_out: reason by photo or person that is not used.
    """

    people: list[Donor]
    expressions: tuple[str, ...]
    left_out: dict[str, str]


def read_donors(directory: pathlib.Path) -> Donors:
    """Returns the donors of a folder of portraits.

    Args:
      directory: a folder for each expression (neutral/, smiling/), with a photo of each
        person under one name (neutral/anna.jpg, smiling/anna.jpg); or a folder of
        photos. Columns of an optional `info.csv`: face_id (the photos' name), face_age,
        face_gender, face_eth.

    Raises:
      FileNotFoundError: there is no such folder.
      DonorError: there is no usable portrait.
    """
    detector, recognisers = DlibLandmarks(), in_package()
    portraits: dict[str, dict[str, Portrait]] = {}
    left_out: dict[str, str] = {}
    found = [f for f in find_photos([directory]) if f.kind in PICTURES]
    for photo in tqdm.tqdm(found, desc="portraits", unit="photo"):
        parent = photo.path.parent
        expression = ONE_EXPRESSION if parent == directory else parent.name
        try:
            portrait = _portrait(photos.read_photo(photo.path), detector, recognisers)
            portraits.setdefault(expression, {})[photo.path.stem] = portrait
        except (photos.PhotoError, alignment.DegenerateFaceError) as error:
            left_out[photo.name] = str(error)
    if not portraits:
        raise DonorError(f"{directory}: no usable portrait found")
    info = _read_info(directory / INFO_FILE)
    people: list[Donor] = []
    for name in sorted(set.union(*(set(p) for p in portraits.values()))):
        faces = {e: p[name] for e, p in portraits.items() if name in p}
        reason = _unusable(faces, set(portraits), people)
        if reason:
            left_out[name] = reason
        else:
            people.append(_donor(name, info.get(name, {}), faces))
    return Donors(people, tuple(portraits), left_out)


def _portrait(
    image: np.ndarray, detector: DlibLandmarks, recognisers: dict[str, Descriptor]
) -> Portrait:
    """The main face of a photo, aligned."""
    faces = detector.detect_any(image)
    if not faces:
        raise photos.PhotoError("no face found")
    points = main_face(faces, image.shape).points_xy
    matrix = alignment.celeba_transform(points, FACE_SIZE)
    matrix[:, 2] += CANVAS_MARGIN
    return Portrait(
        alignment.crop_photo(image, matrix, CANVAS),
        mesh_points(alignment.transform_points(matrix, points)),
        {name: describe(image, points) for name, describe in recognisers.items()},
    )


def _unusable(
    faces: dict[str, Portrait], expressions: set[str], people: list[Donor]
) -> str | None:
    """The reason why portraits of one name are no new donor, or None."""
    if missing := expressions - set(faces):
        return f"no usable portrait in {', '.join(sorted(missing))}"
    for one, other in itertools.combinations(faces.values(), 2):
        if _distance(one, other) >= SAME_PERSON:
            return "the portraits of this name do not look like one person"
    for person in people:
        for face, known in itertools.product(faces.values(), person.portraits.values()):
            if _distance(face, known) < SAME_PHOTO:
                return f"looks like {person.name}, counted once"
    return None


def _distance(one: Portrait, other: Portrait) -> float:
    """The distance between two portraits to dlib."""
    return float(np.linalg.norm(one.descriptors[DLIB] - other.descriptors[DLIB]))


def mesh_points(points_xy: np.ndarray) -> np.ndarray:
    """Returns the points that portraits are warped by, float64 [M, 2].

    They are landmarks, points of the forehead and of the border of the canvas.
    """
    parts = [
        points_xy,
        delaunay.forehead_points(points_xy),
        delaunay.border_points(CANVAS),
    ]
    return np.concatenate(parts).astype(np.float64)


def _read_info(path: pathlib.Path) -> dict[str, dict[str, str]]:
    """Rows of info.csv by name; none without the file."""
    if not path.exists():
        return {}
    with path.open() as file:
        return {row["face_id"]: row for row in csv.DictReader(file)}


def _donor(name: str, info: dict[str, str], portraits: dict[str, Portrait]) -> Donor:
    """A donor with the fields of info.csv."""
    age = info.get("face_age", "")
    return Donor(
        name,
        info.get("face_gender") or None,
        info.get("face_eth") or None,
        float(age) if age.replace(".", "").isdigit() else None,
        portraits,
    )
