"""The command anonygan train-status."""

import json
import pathlib

import click

from anonygan_jax.cli.options import FOLDER
from anonygan_jax.training.status import TrainingRun, summary
from anonygan_jax.weights.generator_checkpoint import CheckpointError


@click.command("train-status")
@click.argument("workdir", type=FOLDER)
def main(workdir: pathlib.Path) -> None:
    """Prints progress and speed of the run in WORKDIR, and its losses over time.

    It reads files only: the run may be in progress, or on another machine.
    """
    try:
        click.echo(summary(TrainingRun.read(workdir)))
    except (CheckpointError, json.JSONDecodeError) as error:
        raise click.ClickException(str(error)) from error
