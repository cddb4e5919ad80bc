"""The command anonygan export: a run's generator as a small folder."""

import pathlib

import click

from anonygan_jax.cli.options import FOLDER, FOLDER_OR_BUCKET
from anonygan_jax.weights import export as exports
from anonygan_jax.weights import generator_checkpoint


@click.command()
@click.argument("workdir", type=FOLDER_OR_BUCKET)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
@click.option("--step", type=int, help="Of which checkpoint; the newest by default.")
def export(workdir: pathlib.Path, output: pathlib.Path, step: int | None) -> None:
    """Writes the averaged generator of WORKDIR in float16, for --checkpoint.

    WORKDIR is a folder, or one in a bucket: gs://BUCKET/FOLDER, s3://BUCKET/FOLDER.
    """
    try:
        exports.export_generator(workdir, output, step)
    except (generator_checkpoint.CheckpointError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    _, variables, step = generator_checkpoint.load_generator(output)
    click.echo(f"exported to {output}: step {step}")
    click.echo(f"SHA-256 of its weights: {exports.checksum(variables)}")
