"""Blind comparison of the faces of two methods, by eye.

    python -m benchmarks.blind_preference show ORIGINALS ONE OTHER --output SHEETS
    # look at SHEETS/00.png ..., write L or R for each pair into SHEETS/choices.txt
    python -m benchmarks.blind_preference tell SHEETS

ONE and OTHER are folders of results with the names of their originals (`anonygan
evaluate` writes them into results/). The side of each method is drawn for each pair and
written into key.json, which nobody opens before `tell`.
"""

import json
import pathlib

import click
import numpy as np
from PIL import Image

from anonygan_jax.cli.options import EXISTING_FOLDER
from anonygan_jax.detection import make_detector
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.evaluation.collect.folders import photos_in
from anonygan_jax.evaluation.metrics.estimates import share
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import main_face
from anonygan_jax.io.contact_sheet import contact_sheet
from anonygan_jax.io.photos import read_photo

SIDE = (264, 216)  # height, width of a face
PAIRS_ACROSS, PAIRS_DOWN = 3, 4
KEY, CHOICES = "key.json", "choices.txt"


@click.group()
def main() -> None:
    """Blind comparison of two methods."""


@main.command()
@click.argument("originals", type=EXISTING_FOLDER)
@click.argument("one", type=EXISTING_FOLDER)
@click.argument("other", type=EXISTING_FOLDER)
@click.option("--output", required=True, type=click.Path(path_type=pathlib.Path))
@click.option("--count", default=100, help="Pairs, drawn from all.")
@click.option("--seed", default=0, help="Of pairs and sides.")
def show(
    originals: pathlib.Path,
    one: pathlib.Path,
    other: pathlib.Path,
    output: pathlib.Path,
    count: int,
    seed: int,
) -> None:
    """Writes sheets of pairs and the key."""
    photos, *folders = (photos_in(folder)[0] for folder in (originals, one, other))
    names = sorted(photos.keys() & folders[0].keys() & folders[1].keys())
    rng = np.random.default_rng(seed)
    names = [names[i] for i in rng.permutation(len(names))[:count]]
    swapped = rng.random(len(names)) < 0.5
    detector = make_detector()
    pairs = []
    for name, swap in zip(names, swapped, strict=True):
        matrix = _frame(detector, photos[name])
        faces = [
            alignment.crop_photo(read_photo(f[name]), matrix, SIDE) for f in folders
        ]
        pairs.append(np.concatenate(faces[::-1] if swap else faces, axis=1))
    output.mkdir(parents=True, exist_ok=True)
    sheet = PAIRS_ACROSS * PAIRS_DOWN
    for number in range(0, len(pairs), sheet):
        picture = _sheet(pairs[number : number + sheet], number)
        Image.fromarray(picture).save(output / f"{number // sheet:02d}.png")
    key = {
        "one": str(one),
        "other": str(other),
        "pairs": dict(zip(names, swapped.tolist(), strict=True)),
    }
    (output / KEY).write_text(json.dumps(key, indent=1))
    click.echo(f"{len(pairs)} pairs; write as many letters into {output / CHOICES}")


@main.command()
@click.argument("sheets", type=EXISTING_FOLDER)
def tell(sheets: pathlib.Path) -> None:
    """Prints how often each method was chosen; spaces in the choices are ignored."""
    key = json.loads((sheets / KEY).read_text())
    choices = "".join((sheets / CHOICES).read_text().upper().split())
    if len(choices) != len(key["pairs"]) or set(choices) - {"L", "R", "="}:
        raise click.ClickException(
            f"{sheets / CHOICES} has {len(choices)} letters, wanted "
            f"{len(key['pairs'])} of L, R, = (no difference)"
        )
    chosen = [
        (choice == "R") == swap
        for choice, swap in zip(choices, key["pairs"].values(), strict=True)
        if choice != "="
    ]
    first = share(np.array(chosen))
    click.echo(
        f"{key['one']} chosen {sum(chosen)} times, {key['other']} "
        f"{len(chosen) - sum(chosen)} times, no difference {choices.count('=')} times; "
        f"of those decided {first.value:.0%} [{first.low:.0%}, {first.high:.0%}]"
    )


def _frame(detector: FaceDetector, path: pathlib.Path) -> np.ndarray:
    """The transform from a photo's pixels to those of its face on a sheet."""
    photo = read_photo(path)
    faces = [face for face in detector(photo) if len(face.points_xy)]
    if not faces:
        raise click.ClickException(f"{path}: no face found")
    return alignment.celeba_transform(main_face(faces, photo.shape).points_xy, SIDE)


def _sheet(pairs: list[np.ndarray], first: int) -> np.ndarray:
    """Pairs in rows, each under its number."""
    starts = range(0, len(pairs), PAIRS_ACROSS)
    return contact_sheet(
        [pairs[i : i + PAIRS_ACROSS] for i in starts],
        (SIDE[0], 2 * SIDE[1]),
        gap=12,
        labels=[
            [str(first + n) for n in range(i, min(i + PAIRS_ACROSS, len(pairs)))]
            for i in starts
        ],
    )


if __name__ == "__main__":
    main()
