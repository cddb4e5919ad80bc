"""The command line of banks: anonygan conditions build, show."""

import math
import pathlib

import click
import cv2
import numpy as np
from PIL import Image

from anonygan_jax.composites.bank import (
    Bank,
    BankError,
    build_bank,
    embedded_bank,
    load_bank,
)
from anonygan_jax.composites.donors import DonorError, read_donors
from anonygan_jax.composites.generate import MIN_DONORS, CompositeGenerator
from anonygan_jax.io.dlib_package import LandmarksUnavailable
from anonygan_jax.recognition.thresholds import NEAREST_DONOR, SAME_PERSON

FOLDER = click.Path(path_type=pathlib.Path, file_okay=False)
TILE = (110, 90)  # height, width of a face on the contact sheet
TILES_PER_ROW = 20
MIN_PEOPLE = 1


@click.group()
def conditions() -> None:
    """Banks of faces that belong to nobody."""


@conditions.command(short_help="Make a bank of composites of portraits.")
@click.argument(
    "photos", type=click.Path(path_type=pathlib.Path, exists=True, file_okay=False)
)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
@click.option(
    "--count",
    default=200,
    show_default=True,
    type=click.IntRange(min=MIN_PEOPLE),
    help="People to make.",
)
@click.option(
    "--min-donors",
    default=MIN_DONORS,
    show_default=True,
    type=click.IntRange(min=MIN_DONORS),
    help="Fewest people averaged into one.",
)
@click.option(
    "--attribution",
    required=True,
    help="Whose portraits these are and under which terms; kept in the bank.",
)
@click.option("--seed", default=0, show_default=True, help="Of the draw of donors.")
def build(
    photos: pathlib.Path,
    output: pathlib.Path,
    count: int,
    min_donors: int,
    attribution: str,
    seed: int,
) -> None:
    """Makes a bank of composites from the portraits in PHOTOS.

    PHOTOS holds a folder for each expression, in each a photo of every person under one
    name: neutral/anna.jpg, smiling/anna.jpg. Photos directly in PHOTOS are one
    expression. Use portraits of people who agreed to it: frontal, evenly lit, alike in
    framing. An info.csv (face_id, face_age, face_gender, face_eth) lets conditions be
    chosen by apparent gender and age.

    A composite that resembles one of the people is thrown away.
    """
    try:
        donors = read_donors(photos)
        for name, reason in donors.left_out.items():
            click.echo(f"left out: {name}: {reason}")
        generator = CompositeGenerator(donors, min_donors, seed)
        bank = build_bank(donors, generator, count, output, attribution)
    except (DonorError, FileExistsError, LandmarksUnavailable) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{output}: {_summary(bank)}")


@conditions.command(short_help="A contact sheet of a bank.")
@click.argument("bank", type=FOLDER, required=False)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=pathlib.Path, dir_okay=False),
    help="Picture to write.",
)
def show(bank: pathlib.Path | None, output: pathlib.Path) -> None:
    """Writes the faces of BANK (default: the package's) on one sheet."""
    try:
        loaded = load_bank(bank or embedded_bank())
    except BankError as error:
        raise click.ClickException(str(error)) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(loaded)).save(output)
    click.echo(f"{output}: {_summary(loaded)}")


def contact_sheet(bank: Bank) -> np.ndarray:
    """Returns all faces of a bank in rows, in their order, uint8 [H, W, 3]."""
    rows = math.ceil(len(bank.files) / TILES_PER_ROW)
    columns = min(TILES_PER_ROW, len(bank.files))
    sheet = np.full((rows * TILE[0], columns * TILE[1], 3), 255, np.uint8)
    for number in range(len(bank.files)):
        row, column = divmod(number, TILES_PER_ROW)
        top, left = row * TILE[0], column * TILE[1]
        sheet[top : top + TILE[0], left : left + TILE[1]] = cv2.resize(
            bank.image(number), TILE[::-1], interpolation=cv2.INTER_AREA
        )
    return sheet


def _summary(bank: Bank) -> str:
    """Counts and distances in a few lines."""
    nearest = np.array(list(bank.nearest_donor.values()))
    low, middle = nearest.min(), np.median(nearest)
    return (
        f"{len(bank.files)} pictures of {len(nearest)} people; descriptor distance to "
        f"the nearest donor {low:.3f} at least, {middle:.3f} in the middle "
        f"({NEAREST_DONOR} is required; below {SAME_PERSON} is one person to dlib)\n"
        f"attribution: {bank.attribution}"
    )
