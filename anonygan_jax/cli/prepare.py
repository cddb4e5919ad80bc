"""The command anonygan prepare.

anonygan prepare PHOTOS --output DIR
"""

import functools
import os
import pathlib
from collections.abc import Callable

import click

from anonygan_jax.cli.options import EXISTING_FILE, FOLDER_OR_BUCKET, beam_option
from anonygan_jax.data import stores
from anonygan_jax.data.prepare import pool
from anonygan_jax.data.prepare.job import MANIFEST, Job, Shard, prepare
from anonygan_jax.data.prepare.tfds import BUILDERS, export_photos
from anonygan_jax.io import paths
from anonygan_jax.io.fetch import fetch
from anonygan_jax.io.inputs import find_photos

SIZE, PACK_SIZE = (220, 180), (112, 92)  # height, width


def read_identities(path: pathlib.Path) -> dict[str, str]:
    """Returns the identity of each file named in a CelebA-style list.

    Raises:
      ValueError: a line is not "FILE IDENTITY"; the message has its number.
    """
    identities = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if len(words) == 2:
            identities[words[0]] = words[1]
        elif words:
            raise ValueError(
                f"{path}, line {number}: want 'FILE IDENTITY', got {line!r}"
            )
    return identities


def _size(
    _context: object, _parameter: object, value: str | None
) -> tuple[int, int] | None:
    """HEIGHTxWIDTH as numbers."""
    if value is None:
        return None
    try:
        height, width = (int(number) for number in value.lower().split("x"))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not HEIGHTxWIDTH") from error
    if min(height, width) < 16:
        raise click.BadParameter(f"{value} is smaller than 16x16")
    return height, width


@click.command("prepare")
@click.argument("inputs", nargs=-1, metavar="[PHOTOS...]")
@click.option(
    "--output",
    required=True,
    type=FOLDER_OR_BUCKET,
    help="Folder for the records; an unfinished one is continued.",
)
@click.option(
    "--tfds",
    type=click.Choice(BUILDERS),
    help="Fetch this set with TensorFlow Datasets instead of PHOTOS.",
)
@click.option("--split", default="train", show_default=True, help="Of --tfds.")
@click.option(
    "--identities",
    type=EXISTING_FILE,
    help="CelebA-style list of 'FILE IDENTITY'; without it the identity of a photo is "
    "its folder's name.",
)
@click.option(
    "--size",
    callback=_size,
    help="HEIGHTxWIDTH.  [default: 220x180; with --pack 112x92]",
)
@click.option("--aligned", is_flag=True, help="Photos are framed as CelebA's: no crop.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count(),
    show_default="one per core",
    help="Processes.",
)
@beam_option(
    "Run as an Apache Beam pipeline with these options, as "
    "'--runner=FlinkRunner --flink_master=...'; '' runs it here.",
)
@click.option(
    "--pack",
    is_flag=True,
    help="Turn folders of records (or the word embedded) into one small file each, its "
    "pictures of the training size, to take to a machine without TensorFlow.",
)
@click.option(
    "--zoom",
    type=click.FloatRange(1),
    default=1.4,
    show_default=True,
    help="With --pack: the config's data.zoom.",
)
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=90,
    show_default=True,
    help="With --pack: of its WebP pictures.",
)
def main(
    inputs: tuple[str, ...],
    output: pathlib.Path,
    tfds: str | None,
    split: str,
    identities: pathlib.Path | None,
    size: tuple[int, int] | None,
    aligned: bool,
    workers: int,
    beam: str | None,
    pack: bool,
    zoom: float,
    quality: int,
) -> None:
    """Turns PHOTOS (folders, files or .txt lists of files) into training records.

    In each photo the main face is detected, its 68 landmarks are computed and it is
    cropped as in CelebA. OUTPUT becomes a TFDS data set; its manifest.json names
    every photo that was left out and why. An interrupted run continues where it
    stopped.

    Folders can be in buckets: gs://BUCKET/FOLDER, s3://BUCKET/FOLDER. Photos there are
    copied to this machine first.
    """
    if bool(inputs) == bool(tfds):
        raise click.UsageError("give PHOTOS or --tfds")
    if pack:
        if tfds or identities or aligned or beam is not None:
            raise click.UsageError("--pack takes folders of records and no photos")
        _pack(list(inputs), output, size or PACK_SIZE, zoom, quality)
        return
    elsewhere = [name for name in inputs if paths.is_bucket(name)]
    if elsewhere and beam is not None:
        raise click.UsageError(
            f"{elsewhere[0]}: --beam's workers must mount the photos"
        )
    if tfds and paths.is_bucket(output):
        raise click.UsageError("--tfds needs a folder of this machine as --output")
    make_shards = _shard_maker(workers, beam)
    try:
        listed = read_identities(identities) if identities else None
        if tfds:
            folder = output / "photos_of_people" / split
            export_photos(tfds, split, folder)
            inputs, aligned = (str(folder),), aligned or tfds == "celeb_a"
        files = find_photos(map(fetch, inputs))
        job = Job(files, listed, size or SIZE, aligned)
        manifest = prepare(job, output, make_shards)
    except (ValueError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    _print_summary(manifest, output)


def _pack(
    folders: list[str],
    output: pathlib.Path,
    size: tuple[int, int],
    zoom: float,
    quality: int,
) -> None:
    """Writes the packs and prints their sizes."""
    try:
        sizes = stores.pack_stores(folders, output, size, zoom, quality)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    for path, num_bytes in sizes.items():
        click.echo(f"{path}: {num_bytes / 2**20:.1f} MiB")
    click.echo(f"together {sum(sizes.values()) / 2**20:.1f} MiB")


def _shard_maker(workers: int, beam: str | None) -> Callable[[list[Shard]], None]:
    """The function that writes shards: processes or Beam."""
    if beam is None:
        return functools.partial(pool.make_shards, num_workers=workers)
    from anonygan_jax.data.prepare.beam import make_shards

    return functools.partial(make_shards, options=beam)


def _print_summary(manifest: dict[str, object], output: pathlib.Path) -> None:
    """Prints how many photos gave a record."""
    total, kept = manifest["photos"], manifest["kept"]
    click.echo(f"{kept} of {total} photos prepared in {output}")
    if kept != total:
        click.echo(f"the others are listed with their reasons in {output / MANIFEST}")
    if kept == 0:
        raise click.ClickException("no photo gave a record")


if __name__ == "__main__":
    main()
