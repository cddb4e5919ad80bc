"""Entry point: python -m anonygan_jax.main --config=configs/X.py --workdir=DIR

DIR is a folder, or one of a bucket of Google Cloud Storage: gs://BUCKET/FOLDER.

--mode=train is the default. evaluate measures the newest checkpoint of the workdir and
other methods; watch measures every checkpoint that another process saves. Exit codes: 0
for a finished run, 75 for one that was asked to stop and is saved, 1 for an error.
"""

import logging
import pathlib
import sys
import traceback

import jax
from absl import app, flags
from absl import logging as absl_logging
from ml_collections import config_flags

import anonygan_jax
from anonygan_jax.io import extras, paths
from anonygan_jax.io.worker_process import WorkerDied
from anonygan_jax.training import config_files, processes
from anonygan_jax.training.loop import train_and_evaluate
from anonygan_jax.training.nan_guard import NotFiniteError
from anonygan_jax.training.profiling import profile_steps
from anonygan_jax.weights import config_fields

HELP = {"--help", "--helpshort", "--helpfull", "-help"}
NO_VARIANTS = "get_config() takes 0 positional arguments"  # what Python says of it
STOPPED = 75  # exit code: asked to stop before the last step; the same command goes on

_CONFIG = config_flags.DEFINE_config_file(
    "config", None, "Experiment: a file of configs/, with :variant where it has some."
)
_WORKDIR = flags.DEFINE_string(
    "workdir",
    None,
    "Folder, or gs://BUCKET/FOLDER, for checkpoints, metrics and pictures; continued "
    "if used.",
)
_MODE = flags.DEFINE_enum(
    "mode", "train", ["train", "evaluate", "watch"], "What is done with the run."
)
_DISTRIBUTED = flags.DEFINE_bool(
    "distributed", False, "One of several processes, as its cluster says (see launch/)."
)
_COORDINATOR = flags.DEFINE_string(
    "coordinator_address", None, "HOST:PORT of process 0, where no cluster says it."
)
_NUM_PROCESSES = flags.DEFINE_integer(
    "num_processes", None, "Number of processes, where no cluster says it."
)
_PROCESS = flags.DEFINE_integer(
    "process_id", None, "Number of this one from 0, where no cluster says it."
)
_PROFILE = flags.DEFINE_string(
    "profile_steps", "", "FIRST-LAST step to record for TensorBoard, as 10-15."
)


def main(arguments: list[str]) -> None:
    """Trains or evaluates, by the flags."""
    config = _CONFIG.value
    if len(arguments) > 1:
        sys.exit(f"error: unexpected argument {arguments[1]!r}")
    if config is None or _WORKDIR.value is None:
        sys.exit("error: --config and --workdir are needed; --help explains them")
    try:
        config.lock()
    except OSError:  # raised at the first use, with every folder that was tried
        known = ", ".join(config_files.names())
        sys.exit(f"error: --config names no file; this project has {known}")
    _show_progress()
    try:
        workdir = paths.path_of(_WORKDIR.value, ("gs",))  # Orbax writes to no other
        place = (_COORDINATOR.value, _NUM_PROCESSES.value, _PROCESS.value)
        if _DISTRIBUTED.value or place != (None, None, None):
            processes.join(*place)
        if _MODE.value == "train":
            state = train_and_evaluate(config, workdir, profile_steps(_PROFILE.value))
            if int(state.step) < config.optimiser.num_steps:
                sys.exit(STOPPED)
        else:
            # Not at the top: training does not need the packages of the evaluation.
            from anonygan_jax.evaluation import checkpoints

            if _MODE.value == "evaluate":
                checkpoints.evaluate_run(config, workdir)
            else:
                checkpoints.watch_run(config, workdir)
    except (ValueError, OSError, NotFiniteError, WorkerDied) as error:
        processes.fail(str(error))
    except ImportError as error:
        if extras.is_ours(error):
            raise
        processes.fail(extras.explained(error))
    except paths.client_errors() as error:
        processes.fail(f"{_WORKDIR.value}: {paths.short(error)}")
    except jax.errors.JaxRuntimeError as error:
        if (reason := processes.reason_of(error)) is None:
            raise
        processes.fail(reason)


def _parse_flags(arguments: list[str]) -> list[str]:
    """Parses flags and config overrides; ends with one line if one is wrong."""
    for old, new in config_fields.RENAMED.items():
        if any(argument.startswith(f"--config.{old}") for argument in arguments):
            section = old.split(".")[0]
            sys.exit(f"error: config.{old} is called config.{section}.{new} now")
    config_files.make_importable()
    try:
        return flags.FLAGS(config_files.with_config_path(arguments))
    except SystemExit as error:  # absl has one code for help and mistakes
        sys.exit(0 if HELP & {*arguments} else error.code)
    except (AttributeError, KeyError) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        if "ml_collections" not in place.filename:  # an error in the config itself
            reason = f"{type(error).__name__}: {error}"
            sys.exit(f"error: {place.filename}, line {place.lineno}: {reason}")
        inner = error.args[0]  # of a field an error, of a section its text
        text = inner.args[0] if isinstance(inner, Exception) else inner
        sys.exit(f"error: the config has no field {'; '.join(text.splitlines())}")
    except (flags.Error, ImportError, TypeError, ValueError) as error:
        text = str(error).strip().splitlines()[-1]
        if NO_VARIANTS in text:
            sys.exit("error: --config: it has no variants; leave out what follows :")
        sys.exit(f"error: {text.removeprefix('ValueError: ')}")


def _show_progress() -> None:
    """Logs this package's messages with the time, and libraries' warnings."""
    absl_logging.set_verbosity(absl_logging.WARNING)
    absl_logging.get_absl_handler().addFilter(_is_told_once)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    ours = logging.getLogger("anonygan_jax")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False


def _is_told_once(record: logging.LogRecord) -> bool:
    """Whether a message is none of those of a failed save, which Orbax raises, too."""
    place = pathlib.PurePath(record.pathname)
    if record.name == "asyncio":
        return "orbax" not in record.getMessage()
    if {"orbax", "checkpoint"} <= {*place.parts} and record.exc_info:
        if place.name in ("future.py", "async_checkpointer.py"):
            return False
        record.exc_info = record.exc_text = None  # the line alone
    return True


if __name__ == "__main__":
    if "--version" in sys.argv:
        print(f"anonygan_jax {anonygan_jax.__version__}")
        sys.exit(0)
    app.run(main, flags_parser=_parse_flags)
