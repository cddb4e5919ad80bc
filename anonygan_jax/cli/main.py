"""The command line: anonygan COMMAND."""

import pathlib

import click

import anonygan_jax
from anonygan_jax.cli import (
    anonymise,
    conditions,
    demo,
    evaluate,
    port,
    prepare,
    train_status,
)
from anonygan_jax.cli.options import FOLDER
from anonygan_jax.weights import export as exports
from anonygan_jax.weights import generator_checkpoint


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(anonygan_jax.__version__, prog_name="anonygan")
def main() -> None:
    """Replace the faces in photos and videos by faces that belong to nobody."""


main.add_command(anonymise.anonymise)
main.add_command(demo.demo)
main.add_command(prepare.main)
main.add_command(conditions.conditions)
main.add_command(evaluate.main)
main.add_command(train_status.main)
main.add_command(port.main)


@main.command(short_help="A run's generator as a small folder.")
@click.argument("workdir", type=FOLDER)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
@click.option("--step", type=int, help="Of which checkpoint; the newest by default.")
def export(workdir: pathlib.Path, output: pathlib.Path, step: int | None) -> None:
    """Writes the averaged generator of WORKDIR in float16, for --checkpoint."""
    try:
        exports.export_generator(workdir, output, step)
    except (generator_checkpoint.CheckpointError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    _, variables, step = generator_checkpoint.load_generator(output)
    click.echo(f"exported to {output}: step {step}")
    click.echo(f"SHA-256 of its weights: {exports.checksum(variables)}")


if __name__ == "__main__":
    main()
