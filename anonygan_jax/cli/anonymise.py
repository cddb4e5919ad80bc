"""The command anonygan anonymise."""

import functools
import pathlib
from collections.abc import Callable
from typing import Any

import click
import tqdm

from anonygan_jax.anonymise.anonymiser import FACE, PERSON
from anonygan_jax.anonymise.batch import file_results
from anonygan_jax.anonymise.batch.pool import PhotoWorkersMaker, processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.photo.metadata import MetadataError, parse_groups
from anonygan_jax.anonymise.policy import PolicyError, Region
from anonygan_jax.anonymise.settings import COPY, SKIP, Settings
from anonygan_jax.anonymise.video.analysis import SEARCH_EVERY
from anonygan_jax.cli.options import FILE, FOLDER, NO_BEAM
from anonygan_jax.detection import DEFAULT_DETECTORS, DETECTORS, LANDMARKERS, MESH
from anonygan_jax.io.worker_process import WorkerDied
from anonygan_jax.methods import (
    DEFAULT_METHOD,
    EMBEDDED_CHECKPOINT,
    METHODS,
    TRAINED,
    methods_of_checkpoint,
)

PHOTO = click.Path(exists=True, dir_okay=False)


def _parsed(parse: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback that parses an option's text, or each of its texts."""

    def callback(_: Any, __: Any, value: Any) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(parse(text) for text in value)
            return parse(value)
        except (PolicyError, MetadataError) as error:
            raise click.BadParameter(str(error)) from error

    return callback


@click.command(short_help="Replace every face in photos and videos.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--output", required=True, type=FOLDER, help="Folder for the results.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="How faces are replaced; auto: by anonygan, and by warp if that result looks "
    "like the person.  [default: warp, or what --checkpoint was trained for]",
)
@click.option(
    "--checkpoint",
    metavar="DIR|embedded",
    help="For auto, anonygan and ciagan: the --workdir of a training run, or, but for "
    "ciagan, the model in the package.  [default: embedded]",
)
@click.option(
    "--condition",
    default="auto",
    show_default=True,
    metavar="auto|BANK|PHOTO|FOLDER|NUMBER",
    help="Whose face is put there: the best fitting of the package's bank of people "
    "who do not exist, or of a bank made by `anonygan conditions build`; or that of a "
    "photo, or of the best fitting photo of a folder; for ciagan, of a person by "
    "number.",
)
@click.option(
    "--consistent",
    type=click.Choice((PERSON, FACE)),
    default=PERSON,
    show_default=True,
    help="person: a person gets one new face in all photos and videos; face: each face "
    "gets another.",
)
@click.option(
    "--any-group",
    "match_group",
    flag_value=False,
    default=True,
    type=bool,
    help="Do not prefer new faces of the same apparent gender and age.",
)
@click.option(
    "--keep", multiple=True, type=PHOTO, help="Photo of a person whose faces are kept."
)
@click.option(
    "--only",
    multiple=True,
    type=PHOTO,
    help="Photo of the only person whose faces are hidden.",
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="[only:|ignore:|hide:]X,Y,W,H",
    callback=_parsed(Region.parse),
    help="Pixels. only: hide faces here alone; ignore: keep faces here; hide: pixelate "
    "all of it.",
)
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    type=click.Choice(tuple(DETECTORS)),
    default=DEFAULT_DETECTORS,
    show_default=True,
    help="Detector of faces; given twice, both are used.",
)
@click.option(
    "--landmarks",
    type=click.Choice(tuple(LANDMARKERS)),
    default=MESH,
    show_default=True,
    help="Detector of the landmarks by which faces are replaced.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="CenterFace's: lower finds more, and more that is no face.  [default: 0.35]",
)
@click.option(
    "--min-face",
    type=click.FloatRange(min=0),
    default=0,
    help="Faces of fewer pixels are kept.  [default: none are]",
)
@click.option(
    "--tiles",
    "use_tiles",
    is_flag=True,
    help="Search large photos in tiles, too: detects tiny faces, takes longer.",
)
@click.option(
    "--boxes",
    type=click.Path(path_type=pathlib.Path, exists=True, dir_okay=False),
    help="CSV or JSON file of faces (as --tracks writes, or file,x,y,width,height); no "
    "detector is used.",
)
@click.option(
    "--tracks", type=FILE, help="CSV or JSON file to write: all detected faces."
)
@click.option(
    "--no-face",
    type=click.Choice((SKIP, COPY)),
    default=SKIP,
    show_default=True,
    help="Photos in which no face is detected: write no result, or copy them.",
)
@click.option(
    "--keep-metadata",
    "kept_metadata",
    default="",
    metavar="gps,time,camera,author|all",
    callback=_parsed(parse_groups),
    help="Metadata that results keep.  [default: none]",
)
@click.option(
    "--strict",
    "is_strict",
    is_flag=True,
    help="A face that must be pixelated fails its file.",
)
@click.option(
    "--search-every",
    default=SEARCH_EVERY,
    show_default=True,
    type=click.IntRange(min=1),
    help="Frames of a video from one search for faces to the next; in between they are "
    "tracked.",
)
@click.option(
    "--no-audio",
    "keep_audio",
    flag_value=False,
    default=True,
    type=bool,
    help="No audio.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes for photos; results do not depend on it.",
)
@click.option(
    "--beam",
    metavar="OPTIONS",
    help="Photos by an Apache Beam pipeline with these options, as "
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

    Exit codes: 0, all files have a result and all detected faces are replaced; 2, a
    file could not be processed (the other files have results); 3, some faces are
    pixelated; 4, a file has no result since it is neither a photo nor a video or no
    face was found, or only regions of it are pixelated; 1, the run could not begin or
    go on.

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
    make_pool = _pool_maker(workers, beam, output)
    try:
        if method is None:
            trained = methods_of_checkpoint(checkpoint) if checkpoint else ()
            options["method"] = trained[0] if trained else DEFAULT_METHOD
        settings = Settings(**options)
        with BatchRun(inputs, output, settings, make_pool, boxes, tracks) as run:
            bar = tqdm.tqdm(
                run.results(), total=len(run), unit="file", disable=len(run) < 2
            )
            for result in bar:
                done.append(result)
                tqdm.tqdm.write(_printable(result.line()))
    except WorkerDied as error:
        raise click.ClickException(
            f"a worker process could not be started: {error}; the same command "
            "continues the run; try fewer --workers"
        ) from error
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot write to {output}: {error}") from error
    click.echo(file_results.summary(done, output))
    raise SystemExit(file_results.exit_code(done))


def _printable(line: str) -> str:
    """A line whose file names have neither bytes beyond UTF-8 nor line breaks."""
    text = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _pool_maker(
    workers: int, beam: str | None, output: pathlib.Path
) -> PhotoWorkersMaker:
    """What makes the worker pool that processes photos."""
    if beam is None:
        return functools.partial(processes, number=workers)
    try:
        from anonygan_jax.anonymise.batch.beam import pipelines
    except ImportError as error:
        raise click.ClickException(NO_BEAM) from error
    return functools.partial(pipelines, options=beam, output=output)
