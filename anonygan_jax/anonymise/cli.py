"""The command line: anonygan COMMAND."""

import pathlib

import click

import anonygan_jax
from anonygan_jax import evaluate_cli, generator_files, train_status
from anonygan_jax.anonymise import anonymise_cli, bank_cli, demo
from anonygan_jax.data import prepare_cli
from anonygan_jax.porting import port_cli

FOLDER = click.Path(path_type=pathlib.Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(anonygan_jax.__version__, prog_name="anonygan")
def main() -> None:
    """Replace the faces in photos and videos by faces that belong to nobody."""


main.add_command(anonymise_cli.anonymise)
main.add_command(demo.demo)
main.add_command(prepare_cli.main)
main.add_command(bank_cli.conditions)
main.add_command(evaluate_cli.main)
main.add_command(train_status.main)
main.add_command(port_cli.main)


@main.command(short_help="A run's generator as a small folder.")
@click.argument("workdir", type=FOLDER)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
@click.option("--step", type=int, help="Of which checkpoint; the newest by default.")
def export(workdir: pathlib.Path, output: pathlib.Path, step: int | None) -> None:
    """Writes the averaged generator of WORKDIR in float16, for --checkpoint."""
    try:
        generator_files.export_generator(workdir, output, step)
    except (generator_files.CheckpointError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    _, variables, step = generator_files.load_generator(output)
    click.echo(f"exported to {output}: step {step}")
    click.echo(f"SHA-256 of its weights: {generator_files.checksum(variables)}")


if __name__ == "__main__":
    main()
