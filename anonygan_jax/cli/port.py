"""The command anonygan port: official weights as a checkpoint."""

import pathlib

import click

from anonygan_jax.cli.options import FILE, FOLDER
from anonygan_jax.weights.export import write_generator
from anonygan_jax.weights.official import ported
from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict


@click.command("port")
@click.argument("weights", type=FILE)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
def main(weights: pathlib.Path, output: pathlib.Path) -> None:
    """Makes a --checkpoint of WEIGHTS, AnonyGAN's or CIAGAN's generator.

    WEIGHTS is a state dict written by torch.save; no code in it is executed.
    """
    try:
        config, variables = ported(read_state_dict(weights))
        write_generator(output, config, variables, 0)
    except (TorchFileError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    except ValueError as error:
        raise click.ClickException(f"{weights}: {error}") from error
    click.echo(f"{config['system']}'s generator is in {output}, for --checkpoint")
