"""Which of two methods makes the better faces, judged by eye without knowing which.

    python -m benchmarks.blind_preference show ORIGINALS ONE OTHER --output SHEETS
    # look at SHEETS/00.png ..., write L or R for each pair into SHEETS/choices.txt
    python -m benchmarks.blind_preference tell SHEETS

ONE and OTHER are folders of results named as the originals (`anonygan evaluate` leaves
them under results/). Which of both is on the left is drawn for each pair and kept in
key.json, which nobody opens before `tell`.
"""

import json
import pathlib

import click
import cv2
import numpy as np
from PIL import Image

from anonygan_jax.detection import FaceDetector, make_detector
from anonygan_jax.evaluation.collect.folders import photos_in
from anonygan_jax.evaluation.metrics.estimates import share
from anonygan_jax.faces import alignment
from anonygan_jax.faces.face import main_face
from anonygan_jax.io.photos import read_photo

SIDE = (264, 216)  # height, width of a face
PAIRS_ACROSS, PAIRS_DOWN = 3, 4
KEY, CHOICES = "key.json", "choices.txt"
FOLDER = click.Path(path_type=pathlib.Path, file_okay=False, exists=True)


@click.group()
def main() -> None:
    """Blind comparison of two methods."""


@main.command()
@click.argument("originals", type=FOLDER)
@click.argument("one", type=FOLDER)
@click.argument("other", type=FOLDER)
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
    """Draws sheets of pairs and hides the key."""
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
@click.argument("sheets", type=FOLDER)
def tell(sheets: pathlib.Path) -> None:
    """Tells how often the first method was chosen; spaces in the choices are free."""
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
    """From a photo's pixels to those of its face on a sheet."""
    photo = read_photo(path)
    faces = [face for face in detector(photo) if len(face.points_xy)]
    if not faces:
        raise click.ClickException(f"{path}: no face found")
    return alignment.celeba_transform(main_face(faces, photo.shape).points_xy, SIDE)


def _sheet(pairs: list[np.ndarray], first: int) -> np.ndarray:
    """Pairs in rows, each under its number."""
    cells = []
    for number, pair in enumerate(pairs, first):
        cell = np.full((SIDE[0] + 24, 2 * SIDE[1] + 12, 3), 255, np.uint8)
        cell[24:, : 2 * SIDE[1]] = pair
        cv2.putText(cell, str(number), (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 0)
        cells.append(cell)
    while len(cells) % PAIRS_ACROSS:
        cells.append(np.full_like(cells[0], 255))
    rows = [
        np.concatenate(cells[i : i + PAIRS_ACROSS], axis=1)
        for i in range(0, len(cells), PAIRS_ACROSS)
    ]
    return np.concatenate(rows)


if __name__ == "__main__":
    main()
