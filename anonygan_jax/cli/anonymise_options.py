"""Options of the command anonygan anonymise that belong together."""

import pathlib
from collections.abc import Callable
from typing import Any

import click

from anonygan_jax.anonymise.anonymiser import FACE, PERSON
from anonygan_jax.anonymise.errors import PolicyError
from anonygan_jax.anonymise.photo.metadata import MetadataError, parse_groups
from anonygan_jax.anonymise.regions import Region
from anonygan_jax.anonymise.settings import COPY, MAX_MEGAPIXELS, SKIP
from anonygan_jax.anonymise.video.encoding import CODECS, HIGH, QUALITIES, SAME
from anonygan_jax.anonymise.video.frame_search import SEARCH_EVERY
from anonygan_jax.cli.options import FILE
from anonygan_jax.detection import DEFAULT_DETECTORS, DETECTORS, LANDMARKERS, MESH
from anonygan_jax.methods import METHODS

PHOTO = click.Path(exists=True, dir_okay=False)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _together(*options: Decorator) -> Decorator:
    """A decorator that adds options in their order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


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


# Whose face is put there, and how.
condition_options = _together(
    click.option(
        "--method",
        type=click.Choice(METHODS),
        help="How faces are replaced; auto: by anonygan, and by warp if that result "
        "looks like the person.  [default: warp, or what --checkpoint was trained for]",
    ),
    click.option(
        "--checkpoint",
        metavar="DIR|embedded",
        help="For auto, anonygan and ciagan: the --workdir of a training run, or, but "
        "for ciagan, the model in the package.  [default: embedded]",
    ),
    click.option(
        "--condition",
        default="auto",
        show_default=True,
        metavar="auto|BANK|PHOTO|FOLDER|NUMBER",
        help="Whose face is put there: the best fitting of the package's bank of "
        "people who do not exist, or of a bank made by `anonygan conditions build`; "
        "or that of a photo, or of the best fitting photo of a folder; for ciagan, of "
        "a person by number.",
    ),
    click.option(
        "--consistent",
        type=click.Choice((PERSON, FACE)),
        default=PERSON,
        show_default=True,
        help="person: a person gets one new face in all photos and videos; face: each "
        "face gets another.",
    ),
    click.option(
        "--any-group",
        "match_group",
        flag_value=False,
        default=True,
        type=bool,
        help="Do not prefer new faces of the same apparent gender and age.",
    ),
)
# Whose faces are hidden, and where.
policy_options = _together(
    click.option(
        "--keep",
        multiple=True,
        type=PHOTO,
        help="Photo of a person whose faces are kept.",
    ),
    click.option(
        "--only",
        multiple=True,
        type=PHOTO,
        help="Photo of the only person whose faces are hidden.",
    ),
    click.option(
        "--region",
        "regions",
        multiple=True,
        metavar="[only:|ignore:|hide:]X,Y,W,H",
        callback=_parsed(Region.parse),
        help="Pixels. only: hide faces here alone; ignore: keep faces here; hide: "
        "pixelate all of it.",
    ),
)
# How faces are detected, or by whom.
detection_options = _together(
    click.option(
        "--detector",
        "detectors",
        multiple=True,
        type=click.Choice(tuple(DETECTORS)),
        default=DEFAULT_DETECTORS,
        show_default=True,
        help="Detector of faces; given twice, both are used.",
    ),
    click.option(
        "--landmarks",
        type=click.Choice(tuple(LANDMARKERS)),
        default=MESH,
        show_default=True,
        help="Detector of the landmarks by which faces are replaced.",
    ),
    click.option(
        "--threshold",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        help="CenterFace's: lower finds more, and more that is no face.  [default: "
        "0.35]",
    ),
    click.option(
        "--min-face",
        type=click.FloatRange(min=0),
        default=0,
        help="Faces of fewer pixels are kept.  [default: none are]",
    ),
    click.option(
        "--tiles",
        "use_tiles",
        is_flag=True,
        help="Search large photos in tiles, too: detects tiny faces, takes longer.",
    ),
    click.option(
        "--boxes",
        type=click.Path(path_type=pathlib.Path, exists=True, dir_okay=False),
        help="CSV or JSON file of faces (as --tracks writes, or "
        "file,x,y,width,height); no detector is used.",
    ),
    click.option(
        "--tracks", type=FILE, help="CSV or JSON file to write: all detected faces."
    ),
)
# What results are written.
result_options = _together(
    click.option(
        "--no-face",
        type=click.Choice((SKIP, COPY)),
        default=SKIP,
        show_default=True,
        help="Photos in which no face is detected: write no result, or copy them.",
    ),
    click.option(
        "--keep-metadata",
        "kept_metadata",
        default="",
        metavar="gps,time,camera,author|all",
        callback=_parsed(parse_groups),
        help="Metadata that results keep.  [default: none]",
    ),
    click.option(
        "--mark",
        "is_marked",
        is_flag=True,
        help="Results of photos say in XMP, in IPTC's words, that they are edited.",
    ),
    click.option(
        "--max-megapixels",
        type=click.FloatRange(min=0, min_open=True),
        default=MAX_MEGAPIXELS,
        show_default=True,
        help="Larger photos fail; memory is about 20 MB for each.",
    ),
    click.option(
        "--strict",
        "is_strict",
        is_flag=True,
        help="A face that must be pixelated fails its file.",
    ),
)
# How videos are processed.
video_options = _together(
    click.option(
        "--search-every",
        default=SEARCH_EVERY,
        show_default=True,
        type=click.IntRange(min=1),
        help="Frames of a video from one full search for faces to the next, 9 at most; "
        "the others are searched quickly.",
    ),
    click.option(
        "--no-audio",
        "keep_audio",
        flag_value=False,
        default=True,
        type=bool,
        help="No audio.",
    ),
    click.option(
        "--codec",
        type=click.Choice(CODECS),
        default=SAME,
        show_default=True,
        help="Of videos; same: the source's if it is H.264, H.265, AV1, VP8, VP9 or "
        "ProRes and the result's container has it, else H.264, or H.265 of 10 bits.",
    ),
    click.option(
        "--quality",
        type=click.Choice(QUALITIES),
        default=HIGH,
        show_default=True,
        help="Of videos; high: no loss is seen, and the size is about the source's.",
    ),
    click.option(
        "--hardware-encoder",
        "is_hardware",
        is_flag=True,
        help="A graphics processor encodes videos, where it has the codec.",
    ),
    click.option(
        "--sdr",
        "is_sdr",
        is_flag=True,
        help="HDR videos (PQ, HLG) become SDR; their highlights are cut off.",
    ),
)
