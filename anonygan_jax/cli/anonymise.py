"""The command anonygan anonymise."""

import functools
import pathlib
from typing import Any

import click
import tqdm

from anonygan_jax.anonymise.batch import file_results
from anonygan_jax.anonymise.batch.pool import WorkersMaker, processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.cli.anonymise_options import (
    condition_options,
    detection_options,
    policy_options,
    result_options,
    video_options,
)
from anonygan_jax.cli.options import FOLDER, beam_option, device_option
from anonygan_jax.io.worker_process import WorkerDied
from anonygan_jax.methods import (
    DEFAULT_METHOD,
    EMBEDDED_CHECKPOINT,
    TRAINED,
    methods_of_checkpoint,
)


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--output", required=True, type=FOLDER, help="Folder for the results.")
@condition_options
@policy_options
@detection_options
@result_options
@video_options
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes; results do not depend on it.",
)
@device_option
@beam_option(
    "By Apache Beam pipelines with these options, as "
    "'--runner=FlinkRunner --flink_master=...'; '' runs it here. Same results.",
)
def anonymise(
    inputs: tuple[str, ...],
    output: pathlib.Path,
    workers: int,
    beam: str | None,
    boxes: pathlib.Path | None,
    tracks: pathlib.Path | None,
    **options: Any,
) -> None:
    """Replaces every detected face in each INPUT: photos, videos, folders, .txt lists.

    Results have the names of their files and no metadata. OUTPUT/report.json has the
    status of each face, and the files of all runs into OUTPUT. A face that the method
    cannot replace is pixelated. The same command again continues a run that was
    stopped. No file is overwritten but results of earlier runs.

    Exit codes: 0, all files have a result and all detected faces are replaced; 1, the
    run could not begin or go on; else the first that holds of: 2, a file could not be
    processed (the other files have results); 3, some faces are pixelated; 4, a file has
    no result since it is neither a photo nor a video or no face was found, or only
    regions of it are pixelated.

    A face that no detector finds is unchanged: check the results before you publish
    them.
    """
    method, checkpoint = options["method"], options["checkpoint"]
    if checkpoint and method not in (None, *TRAINED):
        raise click.UsageError(
            f"--checkpoint goes with {' or '.join(TRAINED)}, not with {method}"
        )
    options["checkpoint"] = checkpoint or EMBEDDED_CHECKPOINT
    done = []
    make_workers = _workers_maker(workers, beam, output)
    try:
        if method is None:
            trained = methods_of_checkpoint(checkpoint) if checkpoint else ()
            options["method"] = trained[0] if trained else DEFAULT_METHOD
        settings = Settings(**options)
        with BatchRun(inputs, output, settings, make_workers, boxes, tracks) as run:
            bar = tqdm.tqdm(
                run.results(), total=len(run), unit="file", disable=len(run) < 2
            )
            for result in bar:
                done.append(result)
                tqdm.tqdm.write(_printable(result.line()))
    except KeyboardInterrupt as error:
        raise click.ClickException(
            f"stopped, {len(done)} files are done; the same command continues the run"
        ) from error
    except WorkerDied as error:
        raise click.ClickException(
            f"a worker process could not be started: {error}; the same command "
            "continues the run; try fewer --workers"
        ) from error
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot write to {output}: {error}") from error
    click.echo(file_results.summary(done, output))
    raise SystemExit(file_results.exit_code(done))


def _printable(line: str) -> str:
    """A line whose file names have neither bytes beyond UTF-8 nor line breaks."""
    text = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _workers_maker(
    workers: int, beam: str | None, output: pathlib.Path
) -> WorkersMaker:
    """What makes the workers."""
    if beam is None:
        return functools.partial(processes, number=workers)
    from anonygan_jax.anonymise.batch.beam import pipelines

    return functools.partial(pipelines, options=beam, output=output)
