"""Banks of conditions on disk: faces of people who do not exist.

A bank is a folder with pictures/*.jpg, bank.json (attribution, people, donors) and
faces.npz (landmarks, attributes, descriptors).
"""

import dataclasses
import importlib.resources
import json
import pathlib
import re
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import tqdm
from PIL import Image

import anonygan_jax
from anonygan_jax.composites.attributes import ATTRIBUTES, attributes
from anonygan_jax.composites.demographics import Demographics, fit_demographics
from anonygan_jax.composites.donors import FACE_SIZE, Donors, Portrait
from anonygan_jax.composites.generate import CompositeGenerator, Distances
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.io.arrays import read_arrays
from anonygan_jax.io.photos import read_photo
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET

BANK_FILE, FACES_FILE, PICTURES = "bank.json", "faces.npz", "pictures"
_DESCRIPTORS = {DLIB: "descriptors", MOBILEFACENET: "mobilefacenet"}  # their arrays
_ARRAYS = ("points_xy", "traits", *_DESCRIPTORS.values(), "group_shares")
JPEG_QUALITY = 85
LONGEST_NAME = 40  # characters of an expression's name in a file's name


class BankError(ValueError):
    """A folder that is no bank."""


@dataclasses.dataclass(frozen=True)
class Bank:
    """Faces to select conditions from.

    Attributes:
      attribution: of the donors' portraits, and their terms.
      people: the person of each face, [F].
      files: name of each face's image, [F].
      points_xy: float32 [F, 68, 2], pixels.
      attributes: float32 [F, 7], see `attributes.ATTRIBUTES`.
      descriptors: float32 [F, D] by recogniser: dlib and MobileFaceNet.
      demographic_shares: float32 [F, G], share of each group in the donors' weights.
      demographics: names of the groups, and a guess for sources; None if the donors'
        groups are not known.
      nearest_donor: person -> distances to the nearest donor, by recogniser.
      image: number -> image of a face, uint8 [H, W, 3].
    """

    attribution: str
    people: list[str]
    files: list[str]
    points_xy: np.ndarray
    attributes: np.ndarray
    descriptors: dict[str, np.ndarray]
    demographic_shares: np.ndarray
    demographics: Demographics | None
    nearest_donor: dict[str, Distances]
    image: Callable[[int], np.ndarray]

    def of_person(self, person: str) -> "Bank":
        """Returns the faces of one person.

        Raises:
          BankError: there is no such person.
        """
        places = [n for n, name in enumerate(self.people) if name == person]
        if not places:
            raise BankError(f"nobody in the bank is called {person!r}")
        return dataclasses.replace(
            self,
            people=[self.people[n] for n in places],
            files=[self.files[n] for n in places],
            points_xy=self.points_xy[places],
            attributes=self.attributes[places],
            descriptors={k: known[places] for k, known in self.descriptors.items()},
            demographic_shares=self.demographic_shares[places],
            image=lambda number: self.image(places[number]),
        )


def embedded_bank() -> pathlib.Path:
    """Returns the folder of the bank in the package."""
    assets = importlib.resources.files("anonygan_jax") / "assets"
    return pathlib.Path(str(assets / "conditions"))


def load_bank(folder: pathlib.Path) -> Bank:
    """Returns a bank that `build_bank` wrote.

    Raises:
      BankError: the folder holds none, or a damaged one.
    """
    try:
        about = json.loads((folder / BANK_FILE).read_text())
        arrays = read_arrays(folder / FACES_FILE, *_ARRAYS)
        faces, people = about["faces"], about["people"]
        if any(pathlib.PurePath(f["file"]).name != f["file"] for f in faces):
            raise ValueError("a picture outside the bank")
        if len({len(faces), *(len(array) for array in arrays.values())}) > 1:
            raise ValueError("its files differ in the number of faces")
        demographics = None
        if about["groups"]:
            group_map = read_arrays(folder / FACES_FILE, "group_map")["group_map"]
            demographics = Demographics(tuple(about["groups"]), group_map)
        return Bank(
            attribution=about["attribution"],
            people=[face["person"] for face in faces],
            files=[face["file"] for face in faces],
            points_xy=arrays["points_xy"],
            attributes=arrays["traits"],
            descriptors={
                name: arrays[array].astype(np.float32)
                for name, array in _DESCRIPTORS.items()
            },
            demographic_shares=arrays["group_shares"],
            demographics=demographics,
            nearest_donor={name: p["nearest_donor"] for name, p in people.items()},
            image=lambda n: read_photo(folder / PICTURES / faces[n]["file"]),
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise BankError(
            f"{folder}: not a bank of conditions ({error}); "
            "make one with: anonygan conditions build PHOTOS --output BANK"
        ) from error


def build_bank(
    donors: Donors,
    generator: CompositeGenerator,
    count: int,
    output: pathlib.Path,
    attribution: str,
) -> Bank:
    """Returns a new bank of composites; its folder is complete, or there is none.

    Args:
      attribution: of the donors' portraits, and their terms.

    Raises:
      DonorError: the composites resemble the donors.
      FileExistsError: `output` exists.
    """
    if output.exists():
        raise FileExistsError(f"{output}: exists; choose another --output")
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / PICTURES).mkdir(parents=True)
    demographics = fit_demographics(donors.people)
    people: dict[str, Any] = {}
    faces: list[dict[str, Any]] = []
    for composite in tqdm.tqdm(generator.composites(count), total=count):
        person = f"person_{len(people):03d}"
        people[person] = {
            "nearest_donor": {
                name: round(apart, 3) for name, apart in composite.nearest_donor.items()
            },
            "donors": composite.shares(),
        }
        shares = demographics.shares(composite) if demographics else np.zeros(0)
        for expression, portrait in composite.faces.items():
            file = f"{person}_{_file_part(expression)}.jpg"
            face = _write_face(partial / PICTURES / file, portrait)
            faces.append({**face, "person": person, "group_shares": shares})
    arrays = {
        name: np.stack([face[name] for face in faces]).astype(
            np.float16 if name == MOBILEFACENET else np.float32
        )
        for name in _ARRAYS
    }
    if demographics:
        arrays["group_map"] = demographics.map
    np.savez_compressed(partial / FACES_FILE, allow_pickle=False, **arrays)
    about = {
        "attribution": attribution,
        "made_with": f"anonygan_jax {anonygan_jax.__version__}",
        "traits": ATTRIBUTES,
        "groups": demographics.names if demographics else (),
        "people": people,
        "faces": [{key: face[key] for key in ("person", "file")} for face in faces],
    }
    (partial / BANK_FILE).write_text(json.dumps(about, indent=1) + "\n")
    partial.rename(output)
    return load_bank(output)


def _write_face(path: pathlib.Path, portrait: Portrait) -> dict[str, Any]:
    """The entry of a composite's face, after writing its image in CelebA's frame."""
    points = portrait.points[:NUM_LANDMARKS]
    matrix = alignment.celeba_transform(points, FACE_SIZE)
    image = alignment.crop_photo(portrait.image, matrix, FACE_SIZE)
    points = alignment.transform_points(matrix, points)
    Image.fromarray(image).save(path, quality=JPEG_QUALITY, optimize=True)
    return {
        "file": path.name,
        "points_xy": points,
        "traits": attributes(image, points),
        **{array: portrait.descriptors[n] for n, array in _DESCRIPTORS.items()},
    }


def _file_part(expression: str) -> str:
    """An expression's name as part of a file's name."""
    return re.sub(r"\W+", "_", expression)[:LONGEST_NAME]
