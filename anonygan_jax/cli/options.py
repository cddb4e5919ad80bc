"""Types of options and arguments that several commands take."""

import pathlib

import click

NO_BEAM = "--beam needs Apache Beam: pip install 'anonygan_jax[beam]'"

FOLDER = click.Path(path_type=pathlib.Path, file_okay=False)
EXISTING_FOLDER = click.Path(path_type=pathlib.Path, file_okay=False, exists=True)
FILE = click.Path(path_type=pathlib.Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=pathlib.Path, dir_okay=False, exists=True)
