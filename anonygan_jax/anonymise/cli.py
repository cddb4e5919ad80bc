"""The command line: anonygan COMMAND."""

import pathlib

import click
import tqdm

import anonygan_jax
from anonygan_jax import checkpointing, evaluate_cli
from anonygan_jax.anonymise import bank_cli, media
from anonygan_jax.anonymise.pipeline import FACE, PERSON, Anonymiser, NoFaceError
from anonygan_jax.data import landmarks, photos
from anonygan_jax.data import prepare as prepare_data
from anonygan_jax.methods import EMBEDDED, METHODS, make_method

FOLDER = click.Path(path_type=pathlib.Path, file_okay=False)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(anonygan_jax.__version__, prog_name="anonygan")
def main() -> None:
    """Replace the faces in photos by faces that belong to nobody."""


main.add_command(prepare_data.main, "prepare")
main.add_command(bank_cli.conditions)
main.add_command(evaluate_cli.main)


@main.command(short_help="Hide every face in photos.")
@click.argument("inputs", nargs=-1, required=True, metavar="PHOTO...")
@click.option("--output", required=True, type=FOLDER, help="Folder for the results.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="How faces are hidden.  [default: warp, or anonygan with --checkpoint]",
)
@click.option(
    "--checkpoint",
    metavar="DIR|embedded",
    help="For anonygan: the --workdir of a training run, or the model in the package.  "
    "[default: embedded]",
)
@click.option(
    "--condition",
    default="auto",
    show_default=True,
    metavar="auto|BANK|PHOTO",
    help="Whose face is put there: that of a person who does not exist, chosen to fit "
    "from the package's bank or from a folder made by `anonygan conditions build`; or "
    "a photo's.",
)
@click.option(
    "--consistent",
    type=click.Choice((PERSON, FACE)),
    default=PERSON,
    show_default=True,
    help="Who keeps one new face: a person in all photos, or nobody.",
)
@click.option(
    "--any-group",
    is_flag=True,
    help="Do not prefer new faces of the same apparent gender and age.",
)
def anonymise(
    inputs: tuple[str, ...],
    output: pathlib.Path,
    method: str | None,
    checkpoint: str | None,
    condition: str,
    consistent: str,
    any_group: bool,
) -> None:
    """Hides every face found in each PHOTO (files, folders or .txt lists).

    Results carry the photos' names. A face that the method cannot hide is pixelated. A
    photo that cannot be read or shows no face leaves no result and a line on the
    screen, and the command ends with exit code 1 after the others are done.

    A face that no detector finds stays as it is: look at the results before you
    publish them.
    """
    if checkpoint and method not in (None, "anonygan"):
        raise click.UsageError(f"--checkpoint goes with anonygan, not with {method}")
    try:
        found = photos.find_photos(inputs)
        method = method or ("anonygan" if checkpoint else "warp")
        anonymiser = Anonymiser(
            make_method(method, checkpoint or EMBEDDED),
            condition,
            consistent,
            match_group=not any_group,
        )
    except (ValueError, FileNotFoundError, landmarks.LandmarksUnavailable) as error:
        raise click.ClickException(str(error)) from error
    num_done = num_failed = 0
    for photo in tqdm.tqdm(found, unit="photo", disable=len(found) < 2):
        if not photo.has_photo_suffix:
            tqdm.tqdm.write(f"{photo.path}: not a photo by its suffix, left out")
            continue
        try:
            tqdm.tqdm.write(_anonymise_photo(anonymiser, photo, output))
            num_done += 1
        except (photos.PhotoError, NoFaceError) as error:
            name = "" if str(error).startswith(str(photo.path)) else f"{photo.path}: "
            tqdm.tqdm.write(f"error: {name}{error}; no result written")
            num_failed += 1
    click.echo(
        f"anonymised {num_done} of {num_done + num_failed} photos, results in {output}"
    )
    if num_failed or not num_done:
        raise SystemExit(1)


def _anonymise_photo(
    anonymiser: Anonymiser, photo: photos.PhotoFile, output: pathlib.Path
) -> str:
    """One photo from file to file; a line that says what was done."""
    path = media.output_path(photo, output)
    # A result of an earlier run must not outlive a failure of this one.
    path.unlink(missing_ok=True)
    image = photos.read_photo(photo.path)
    result, reports = anonymiser(image, seed=photo.name)
    media.write_photo(path, result)
    covered = [r.covered_because for r in reports if r.covered_because]
    text = f"{path}: {len(reports)} face{'s' * (len(reports) != 1)}"
    return text + (f", {len(covered)} covered ({covered[0]})" if covered else "")


@main.command(short_help="A run's generator as a small folder.")
@click.argument("workdir", type=FOLDER)
@click.option("--output", required=True, type=FOLDER, help="Folder to make.")
def export(workdir: pathlib.Path, output: pathlib.Path) -> None:
    """Writes the averaged generator of WORKDIR in float16, for --checkpoint."""
    try:
        checkpointing.export_generator(workdir, output)
    except (checkpointing.CheckpointError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"exported to {output}")


if __name__ == "__main__":
    main()
