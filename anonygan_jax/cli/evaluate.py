"""The command anonygan evaluate."""

import os
import pathlib
from typing import Any

import click

from anonygan_jax.cli.options import EXISTING_FILE, FOLDER_OR_BUCKET
from anonygan_jax.io.fetch import fetch
from anonygan_jax.io.paths import path_of
from anonygan_jax.io.staged_folder import staged_folder
from anonygan_jax.methods import METHODS


def _titled(
    _context: object, _parameter: object, values: tuple[str, ...]
) -> dict[str, str]:
    """Folders by title; of "DIR" the title is the folder's name."""
    folders = {}
    for value in values:
        title, _, folder = value.rpartition("=")
        title = title or path_of(folder).name
        if title in folders:
            raise click.BadParameter(f"two folders called {title}; use TITLE=DIR")
        folders[title] = folder
    return folders


def _fetched(folders: dict[str, str]) -> dict[str, pathlib.Path]:
    """Local folders by title."""
    fetched = {title: fetch(folder) for title, folder in folders.items()}
    for title, path in fetched.items():
        if not path.is_dir():
            raise click.BadParameter(f"{folders[title]}: no such folder")
    return fetched


def _methods(_context: object, _parameter: object, value: str | None) -> dict[str, str]:
    """Methods by title; both are "NAME" or "NAME:CHECKPOINT"."""
    methods = {m.strip(): m.strip() for m in (value or "").split(",") if m.strip()}
    for method in methods:
        if method.partition(":")[0] not in METHODS:
            known = ", ".join(METHODS)
            raise click.BadParameter(f"unknown method {method!r}; there are {known}")
    return methods


@click.command("evaluate")
@click.option(
    "--originals",
    "--dataset",
    required=True,
    metavar="DIR|lfw|celeba",
    help="Photos before; lfw and celeba are fetched by TFDS.",
)
@click.option(
    "--anonymised",
    multiple=True,
    metavar="[TITLE=]DIR",
    callback=_titled,
    help="Photos after, called as before; any tool's. Can be given several times.",
)
@click.option(
    "--methods",
    metavar="NAME[:CHECKPOINT],...",
    callback=_methods,
    help=f"Methods to run and measure: {', '.join(METHODS)}; anonygan:DIR, "
    "ciagan:DIR with the --workdir of a training run.",
)
@click.option("--output", required=True, type=FOLDER_OR_BUCKET)
@click.option(
    "--pairs",
    type=EXISTING_FILE,
    help="LFW's pairs.txt or pairsDevTrain.txt: verification with the second photo "
    "anonymised, in folds. Only its photos are used.",
)
@click.option("--count", type=click.IntRange(2), help="At most so many photos.")
@click.option(
    "--gallery",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Originals that the attacker has, at least, where there are so many.",
)
@click.option(
    "--consistent",
    type=click.Choice(["face", "person"]),
    default="face",
    show_default=True,
    help="Whether each face or each person gets a condition of its own.",
)
@click.option(
    "--inception-weights",
    type=EXISTING_FILE,
    help="pt_inception-2015-12-05-6726825d.pth, for the FID.",
)
@click.option(
    "--facenet-casia", type=EXISTING_FILE, help="facenet-pytorch's CASIA weights."
)
@click.option("--facenet-vggface2", type=EXISTING_FILE, help="Its VGGFace2 weights.")
@click.option("--arcface", type=EXISTING_FILE, help="InsightFace's backbone.pth.")
@click.option("--adaface", type=EXISTING_FILE, help="AdaFace's state dict.")
@click.option("--mtcnn/--no-mtcnn", default=True, help="Ask MTCNN where installed.")
@click.option(
    "--workers",
    "num_workers",
    type=click.IntRange(1),
    default=os.cpu_count(),
    show_default="one per core",
    help="Processes.",
)
def main(
    output: pathlib.Path,
    mtcnn: bool,
    anonymised: dict[str, str],
    **settings: Any,
) -> None:
    """Compares anonymised photos with their originals, and writes a report.

    OUTPUT gets results.json, report.md with the published table's columns, plots and a
    contact sheet. Results are matched with originals by their names below the folder,
    whatever the suffix. Photos that cannot be measured are listed in the report.
    Folders can be in buckets: gs://BUCKET/FOLDER, s3://BUCKET/FOLDER.
    """
    # Not at the top: --help does without the extra "evaluation".
    from anonygan_jax.evaluation.report import seen, table
    from anonygan_jax.evaluation.run import Evaluation, evaluate
    from anonygan_jax.recognition.table import FROM_FILES

    weights = {name: settings.pop(name) for name in FROM_FILES}
    settings["recogniser_weights"] = {n: path for n, path in weights.items() if path}
    settings["anonymised"] = _fetched(anonymised)
    try:
        with staged_folder(output) as folder:
            report = evaluate(Evaluation(use_mtcnn=mtcnn, **settings), folder)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(table.published_table(report.rows[1:]))
    click.echo(seen.tables(report.rows) + "\n")
    click.echo(table.full_table(report.rows, seen.shown_keys()))
    left_out = sum(len(problems) for problems in report.problems.values())
    click.echo(f"report in {output / 'report.md'}; left out: {left_out} photos")
