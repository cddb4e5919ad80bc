"""The command anonygan train-status."""

import pathlib
import time

import click

from anonygan_jax.cli.options import FILE, FOLDER_OR_BUCKET
from anonygan_jax.io.paths import absolute
from anonygan_jax.training.prometheus import write_textfile
from anonygan_jax.training.status import TrainingRun, summary
from anonygan_jax.weights.checkpoint_folder import CheckpointError


def _prom_file(
    _context: object, _parameter: object, path: pathlib.Path | None
) -> pathlib.Path | None:
    """The same path, in a folder that is there; the node exporter reads no others."""
    if path is not None and path.suffix != ".prom":
        raise click.BadParameter(f"{path} does not end with .prom")
    if path is not None and not path.parent.is_dir():
        raise click.BadParameter(f"{path.parent}: no such folder")
    return path


@click.command("train-status")
@click.argument("workdir", type=FOLDER_OR_BUCKET)
@click.option("--follow", is_flag=True, help="Print again until the last step.")
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=10,
    show_default=True,
    help="Seconds between two looks of --follow.",
)
@click.option(
    "--prometheus",
    type=FILE,
    callback=_prom_file,
    help="Also write the newest figures to this .prom file, for Prometheus' node "
    "exporter.",
)
def main(
    workdir: pathlib.Path,
    follow: bool,
    interval: float,
    prometheus: pathlib.Path | None,
) -> None:
    """Prints progress and speed of the run in WORKDIR, and its losses over time.

    It reads files only: the run may be in progress, on another machine, and in a
    bucket: gs://BUCKET/FOLDER.
    """
    printed = ""
    while True:
        try:
            run = TrainingRun.read(workdir)
            if prometheus:
                write_textfile(prometheus, absolute(workdir).name, run)
            text, is_last = summary(run), run.step >= run.num_steps
        except (CheckpointError, OSError) as error:
            if not (follow and printed):  # the first look must succeed
                raise click.ClickException(str(error)) from error
            text, is_last = f"cannot be read now: {error}", False
        if text != printed:
            click.clear()  # where the output is a terminal
            click.echo(text)
            printed = text
        if is_last or not follow:
            return
        time.sleep(interval)
