"""The command line: anonygan anonymise."""

import functools
import pathlib
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import click
import tqdm

from anonygan_jax.anonymise.anonymiser import FACE, PERSON
from anonygan_jax.anonymise.batch import outcomes
from anonygan_jax.anonymise.batch.pool import WorkerPoolMaker, processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.photo.metadata import MetadataError, parse_groups
from anonygan_jax.anonymise.policy import PolicyError, Region
from anonygan_jax.anonymise.settings import COPY, SKIP, Settings
from anonygan_jax.anonymise.video.analysis import SEARCH_EVERY
from anonygan_jax.detection import DEFAULT_DETECTORS, DETECTORS, LANDMARKERS, MESH
from anonygan_jax.methods import EMBEDDED, METHODS, TRAINED, trained_methods

FOLDER = click.Path(path_type=pathlib.Path, file_okay=False)
FILE = click.Path(path_type=pathlib.Path, dir_okay=False)
PHOTO = click.Path(exists=True, dir_okay=False)


def _parsed(parse: Callable[[str], Any]) -> Callable[..., Any]:
    """A callback that turns an option's text, or each of its texts, into a value."""

    def callback(_: Any, __: Any, value: Any) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(parse(text) for text in value)
            return parse(value)
        except (PolicyError, MetadataError) as error:
            raise click.BadParameter(str(error)) from error

    return callback


@click.command(short_help="Hide every face in photos and videos.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--output", required=True, type=FOLDER, help="Folder for the results.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="How faces are hidden; auto: by anonygan, or, where its result looks like the "
    "person, by warp.  [default: auto, or what --checkpoint was trained for]",
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
    help="Whose face is put there: that of a person who does not exist, chosen to fit "
    "from the package's bank or from a folder made by `anonygan conditions build`; or "
    "that of a photo, or of the best fitting photo of a folder; for ciagan, of a "
    "person by number.",
)
@click.option(
    "--consistent",
    type=click.Choice((PERSON, FACE)),
    default=PERSON,
    show_default=True,
    help="Who keeps one new face: a person in all photos and videos, or nobody.",
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
    "--keep", multiple=True, type=PHOTO, help="Photo of a person who stays visible."
)
@click.option(
    "--only", multiple=True, type=PHOTO, help="Photo of the only person to hide."
)
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="[only:|ignore:|hide:]X,Y,W,H",
    callback=_parsed(Region.parse),
    help="Pixels: hide faces here only, leave those here, or always pixelate this.",
)
@click.option(
    "--detector",
    "detectors",
    multiple=True,
    type=click.Choice(tuple(DETECTORS)),
    default=DEFAULT_DETECTORS,
    show_default=True,
    help="What finds faces; given twice, both do.",
)
@click.option(
    "--landmarks",
    type=click.Choice(tuple(LANDMARKERS)),
    default=MESH,
    show_default=True,
    help="What finds the points by which faces are replaced.",
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
    help="Faces of fewer pixels stay as they are.  [default: none do]",
)
@click.option(
    "--tiles",
    "use_tiles",
    is_flag=True,
    help="Search large photos in pieces, too: finds tiny faces, takes longer.",
)
@click.option(
    "--boxes",
    type=click.Path(path_type=pathlib.Path, exists=True, dir_okay=False),
    help="CSV or JSON file of faces that are known (as --tracks writes, or file,x,y,"
    "width,height): nothing is searched.",
)
@click.option("--tracks", type=FILE, help="CSV or JSON file to write: all faces found.")
@click.option(
    "--no-face",
    type=click.Choice((SKIP, COPY)),
    default=SKIP,
    show_default=True,
    help="Photos in which no face is found: leave out, or copy.",
)
@click.option(
    "--keep-metadata",
    "kept_metadata",
    default="",
    metavar="gps,time,camera,author|all",
    callback=_parsed(parse_groups),
    help="What results say of themselves besides the picture.  [default: nothing]",
)
@click.option(
    "--strict",
    "is_strict",
    is_flag=True,
    help="A face that must be pixelated fails its photo.",
)
@click.option(
    "--search-every",
    default=SEARCH_EVERY,
    show_default=True,
    type=click.IntRange(min=1),
    help="Frames of a video from one search for faces to the next; in between they are "
    "followed.",
)
@click.option(
    "--no-audio", "keep_audio", flag_value=False, default=True, type=bool, help="Mute."
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
    """Hides every face found in each INPUT: photos, videos, folders or .txt lists.

    Results carry the files' names and no metadata; OUTPUT/report.json says what
    happened to each face. A face that the method cannot hide is pixelated. The same
    command again goes on where it was stopped.

    Exit codes: 0, all faces found are replaced; 3, some are pixelated; 2, a file could
    not be processed and left no result (the others are done all the same).

    A face that no detector finds stays as it is: look at the results before you
    publish them.
    """
    method, checkpoint = options["method"], options["checkpoint"]
    if checkpoint and method not in (None, *TRAINED):
        raise click.UsageError(
            f"--checkpoint goes with {' or '.join(TRAINED)}, not with {method}"
        )
    options["checkpoint"] = checkpoint or EMBEDDED
    done = []
    helpers = _helpers(workers, beam, output)
    try:
        options["method"] = method or trained_methods(options["checkpoint"])[0]
        run = BatchRun(inputs, output, Settings(**options), helpers, boxes, tracks)
        for path in run.not_media:
            click.echo(f"{path}: neither a photo nor a video by its suffix, left out")
        bar = tqdm.tqdm(
            run.outcomes(), total=len(run), unit="file", disable=len(run) < 2
        )
        for outcome in bar:
            done.append(outcome)
            tqdm.tqdm.write(outcome.line())
        run.finish(done)
    except BrokenProcessPool as error:
        raise click.ClickException(
            "a worker process ended suddenly, perhaps for lack of memory; the same "
            "command goes on from here; try fewer --workers"
        ) from error
    except (ValueError, FileNotFoundError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"cannot write to {output}: {error}") from error
    click.echo(outcomes.summary(done, output))
    raise SystemExit(outcomes.exit_code(done))


def _helpers(workers: int, beam: str | None, output: pathlib.Path) -> WorkerPoolMaker:
    """Who searches and writes photos."""
    if beam is None:
        return functools.partial(processes, number=workers)
    try:
        from anonygan_jax.anonymise.batch.beam import pipelines
    except ImportError as error:
        raise click.ClickException(
            "--beam needs Apache Beam: pip install 'anonygan_jax[beam]'"
        ) from error
    return functools.partial(pipelines, options=beam, output=output)
