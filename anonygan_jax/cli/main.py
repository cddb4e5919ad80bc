"""The command line: anonygan COMMAND.

A command's module is imported when it is asked for: none waits for another's packages.
"""

import contextlib
import importlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

import anonygan_jax
from anonygan_jax.io import extras, fork_server
from anonygan_jax.io.paths import BucketError, PathError, client_errors, short

COULD_NOT_BEGIN = 1  # exit code, of wrong usage, too; 2 is a file that failed
HELP = {"-h", "--help"}


class LazyCommand(NamedTuple):
    """Where a command is.

    Attributes:
      module, name: of the command.
      help: what it does, in one line.
      workers_import: what its worker processes need; see `fork_server`.
    """

    module: str
    name: str
    help: str
    workers_import: tuple[str, ...] = ()


COMMANDS = {
    "anonymise": LazyCommand(
        "anonygan_jax.cli.anonymise",
        "anonymise",
        "Replace every face in photos and videos.",
        ("anonygan_jax.anonymise.batch.worker", "onnxruntime", "dlib"),
    ),
    "conditions": LazyCommand(
        "anonygan_jax.cli.conditions",
        "conditions",
        "Banks of faces that belong to nobody.",
    ),
    "demo": LazyCommand(
        "anonygan_jax.cli.demo", "demo", "A local page to try the methods."
    ),
    "evaluate": LazyCommand(
        "anonygan_jax.cli.evaluate",
        "main",
        "Measure how well faces are anonymised.",
    ),
    "export": LazyCommand(
        "anonygan_jax.cli.export", "export", "A run's generator as a small folder."
    ),
    "port": LazyCommand(
        "anonygan_jax.cli.port", "main", "Official PyTorch weights as a checkpoint."
    ),
    "prepare": LazyCommand(
        "anonygan_jax.cli.prepare", "main", "Photos to training records."
    ),
    "train-status": LazyCommand(
        "anonygan_jax.cli.train_status", "main", "How far a training run is."
    ),
}


class LazyGroup(click.Group):
    """A group of the commands of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Returns a command; None of an unknown name.

        Raises:
          ImportError: a package, or a module or name of this project, is missing.
        """
        if cmd_name not in COMMANDS:
            return None
        known = COMMANDS[cmd_name]
        if known.workers_import and not HELP & {*sys.argv}:
            fork_server.start(known.workers_import)
        return getattr(importlib.import_module(known.module), known.name)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, c.help) for name, c in COMMANDS.items()])

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _named_errors():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _named_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def _named_errors() -> Iterator[None]:
    """A block whose usage errors have the exit code of a run that could not begin.

    Those of files and buckets, and of packages that cannot be imported, have one line.
    """
    try:
        yield
    except click.UsageError as error:
        error.exit_code = COULD_NOT_BEGIN  # type: ignore[misc]
        raise
    except (BucketError, PathError) as error:
        raise click.ClickException(str(error)) from error
    except client_errors() as error:
        raise click.ClickException(f"a bucket: {short(error)}") from error
    except BrokenPipeError:
        raise  # click ends without a word
    except OSError as error:
        raise click.ClickException(_of_file(error)) from error
    except ImportError as error:
        if extras.is_ours(error):
            raise
        raise click.ClickException(extras.explained(error)) from error


def _of_file(error: OSError) -> str:
    """What went wrong, with the file if the error knows it."""
    if error.strerror is None or error.filename is None:
        return str(error) or type(error).__name__
    return f"{error.filename}: {error.strerror}"


@click.group(cls=LazyGroup, context_settings={"help_option_names": sorted(HELP)})
@click.version_option(anonygan_jax.__version__, prog_name="anonygan")
def main() -> None:
    """Replace the faces in photos and videos by faces that belong to nobody."""


if __name__ == "__main__":
    main()
