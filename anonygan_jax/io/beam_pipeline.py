"""Pipelines of Apache Beam: their options from the command line, and their end."""

import contextlib
import io
import itertools
import shlex

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineState, create_runner

from anonygan_jax.io.worker_process import WorkerDied

# Modules of the runners of this machine.
HERE = ("apache_beam.runners.direct", "apache_beam.runners.portability.fn_api_runner")
MAX_TEXT = 300  # characters of a runner's message, whose end says what failed


class PipelineError(ValueError):
    """A pipeline failed; the message has the end of the runner's, and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the pipeline failed: {reason}; the same command continues the run"
        )


def parse_options(text: str) -> PipelineOptions:
    """Returns Beam's options, as on a command line: "--runner=FlinkRunner ...".

    Runners of other machines have options that are not known here, and are asked. On
    this machine an unknown option is a mistake.

    Raises:
      ValueError: there is no such runner or option, or its value is of another kind.
    """
    try:
        words = shlex.split(text)
        options = _checked(words)
    except (ValueError, ImportError) as error:
        raise ValueError(f"--beam {text!r}: {error}") from error
    for before, word in itertools.pairwise(["", *words]):
        if not word.startswith("-") and (not before.startswith("-") or "=" in before):
            raise ValueError(f"--beam {text!r}: {word!r} belongs to no option")
    return options


def _checked(words: list[str]) -> PipelineOptions:
    """Options, if this machine can run a pipeline by them, or another may."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            options = PipelineOptions(words)
            known = options.get_all_options()
            given = options.get_all_options(retain_unknown_options=True)
    except SystemExit as error:  # of argparse, after a page of usage
        lines = said.getvalue().splitlines() if error.code else []
        raise ValueError((lines or ["Beam's site explains them"])[-1]) from error
    unknown = sorted(given.keys() - known.keys())
    runner = create_runner(known["runner"] or StandardOptions.DEFAULT_RUNNER)
    if unknown and type(runner).__module__.startswith(HERE):
        raise ValueError(f"Beam has no option --{unknown[0]}")
    return options


def run_pipeline(pipeline: beam.Pipeline) -> None:
    """Runs a pipeline, and waits for its end.

    Raises:
      ValueError: the runner or an option is unknown to Beam.
      WorkerDied: a worker process could not be started.
      PipelineError: it failed.
    """
    try:
        state = _end_of(pipeline)
    except (ValueError, WorkerDied):
        raise
    except Exception as error:  # runners' errors have no other class in common
        text = " ".join(str(error).split())[-MAX_TEXT:]
        raise PipelineError(text or type(error).__name__) from error
    if state != PipelineState.DONE:
        raise PipelineError(f"it ended as {state}")


def _end_of(pipeline: beam.Pipeline) -> str:
    """The state in which a pipeline ends; raises what its runner raises."""
    job = pipeline.run()
    try:
        return job.wait_until_finish()
    except BaseException:  # Ctrl-C, too: the job would go on
        with contextlib.suppress(Exception):  # few runners cancel a job that ended
            job.cancel()
        raise
