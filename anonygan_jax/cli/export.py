"""The command anonygan export: a run's generator as a small folder."""

import pathlib

import click

from anonygan_jax.cli.options import FOLDER, FOLDER_OR_BUCKET
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint
from anonygan_jax.weights import export as exports


@click.command()
@click.argument("workdir", type=FOLDER_OR_BUCKET)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
@click.option("--step", type=int, help="Of which checkpoint; the newest by default.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(exports.FORMATS),
    default=exports.ORBAX,
    show_default=True,
    help="onnx: for ONNX Runtime, with which the tool draws faster on CPUs and without "
    "JAX; training cannot go on from it.",
)
def export(
    workdir: pathlib.Path, output: pathlib.Path, step: int | None, file_format: str
) -> None:
    """Writes the averaged generator of WORKDIR in float16, for --checkpoint.

    WORKDIR is a folder, or one in a bucket: gs://BUCKET/FOLDER, s3://BUCKET/FOLDER.
    """
    try:
        exports.export_generator(workdir, output, step, file_format)
    except (checkpoint_folder.CheckpointError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    if file_format == exports.ORBAX:
        _, variables, step = generator_checkpoint.load_generator(output)
        click.echo(f"exported to {output}: step {step}")
        click.echo(f"SHA-256 of its weights: {exports.checksum(variables)}")
    else:
        click.echo(f"exported to {output}: {checkpoint_folder.ONNX_FILE}")
