"""The command line of banks: anonygan conditions build, show."""

import pathlib

import click
import numpy as np
from PIL import Image

from anonygan_jax.cli.options import EXISTING_FOLDER, FILE, FOLDER
from anonygan_jax.composites.bank import (
    Bank,
    BankError,
    build_bank,
    embedded_bank,
    load_bank,
)
from anonygan_jax.composites.donors import DonorError, read_donors
from anonygan_jax.composites.generate import MIN_DONORS, CompositeGenerator
from anonygan_jax.io.contact_sheet import contact_sheet
from anonygan_jax.recognition.table import RECOGNISERS
from anonygan_jax.recognition.thresholds import NEAREST_DONORS

TILE = (110, 90)  # height, width of a face on the contact sheet
TILES_PER_ROW = 20
MIN_PEOPLE = 1


@click.group()
def conditions() -> None:
    """Banks of faces that belong to nobody."""


@conditions.command(short_help="Make a bank of composites of portraits.")
@click.argument("photos", type=EXISTING_FOLDER)
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

    A composite that resembles one of the people, or another composite, is thrown
    away.
    """
    try:
        donors = read_donors(photos)
        for name, reason in donors.left_out.items():
            click.echo(f"left out: {name}: {reason}")
        generator = CompositeGenerator(donors, min_donors, seed)
        bank = build_bank(donors, generator, count, output, attribution)
    except (DonorError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{output}: {_summary(bank)}")


@conditions.command(short_help="A contact sheet of a bank.")
@click.argument("bank", type=FOLDER, required=False)
@click.option("--output", required=True, type=FILE, help="Picture to write.")
def show(bank: pathlib.Path | None, output: pathlib.Path) -> None:
    """Writes the faces of BANK (default: the package's) on one sheet."""
    try:
        loaded = load_bank(bank or embedded_bank())
    except BankError as error:
        raise click.ClickException(str(error)) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(_sheet(loaded)).save(output)
    click.echo(f"{output}: {_summary(loaded)}")


def _sheet(bank: Bank) -> np.ndarray:
    """All faces of a bank in rows, in their order, uint8 [H, W, 3]."""
    faces = [bank.image(number) for number in range(len(bank.files))]
    starts = range(0, len(faces), TILES_PER_ROW)
    return contact_sheet([faces[i : i + TILES_PER_ROW] for i in starts], TILE)


def _summary(bank: Bank) -> str:
    """Counts and distances in a few lines."""
    lines = [f"{len(bank.files)} pictures of {len(bank.nearest_donor)} people"]
    for name, required in NEAREST_DONORS.items():
        nearest = [known[name] for known in bank.nearest_donor.values()]
        lines.append(
            f"distance to the nearest donor, {RECOGNISERS[name].title}: "
            f"{min(nearest):.3f} at least, {np.median(nearest):.3f} in the middle "
            f"({required} is required)"
        )
    return "\n".join([*lines, f"attribution: {bank.attribution}"])
