"""The command line: anonygan COMMAND."""

import pathlib

import click
import tqdm

import anonygan_jax
from anonygan_jax import checkpointing, evaluate_cli
from anonygan_jax.anonymise import bank_cli, media, outcomes
from anonygan_jax.anonymise.pipeline import FACE, PERSON, Anonymiser, NoFaceError
from anonygan_jax.data import landmarks, photos
from anonygan_jax.data import prepare as prepare_data
from anonygan_jax.methods import EMBEDDED, METHODS, make_method

SKIP, COPY = "skip", "copy"
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
@click.option(
    "--no-face",
    type=click.Choice((SKIP, COPY)),
    default=SKIP,
    show_default=True,
    help="Photos in which no face is found: leave out, or copy (without metadata).",
)
@click.option(
    "--strict", is_flag=True, help="A face that must be covered fails its photo."
)
def anonymise(
    inputs: tuple[str, ...],
    output: pathlib.Path,
    method: str | None,
    checkpoint: str | None,
    condition: str,
    consistent: str,
    any_group: bool,
    no_face: str,
    strict: bool,
) -> None:
    """Hides every face found in each PHOTO (files, folders or .txt lists).

    Results carry the photos' names and no metadata; OUTPUT/report.json says what
    happened to each face. A face that the method cannot hide is pixelated.

    Exit codes: 0, all faces found are replaced; 3, some are pixelated; 2, a photo could
    not be processed and left no result (the others are done all the same).

    A face that no detector finds stays as it is: look at the results before you
    publish them.
    """
    if checkpoint and method not in (None, "anonygan"):
        raise click.UsageError(f"--checkpoint goes with anonygan, not with {method}")
    method = method or ("anonygan" if checkpoint else "warp")
    try:
        found = photos.find_photos(inputs)
        anonymiser = Anonymiser(
            make_method(method, checkpoint or EMBEDDED),
            condition,
            consistent,
            match_group=not any_group,
        )
    except (ValueError, FileNotFoundError, landmarks.LandmarksUnavailable) as error:
        raise click.ClickException(str(error)) from error
    done = []
    for photo in tqdm.tqdm(found, unit="photo", disable=len(found) < 2):
        if not photo.has_photo_suffix:
            tqdm.tqdm.write(f"{photo.path}: not a photo by its suffix, left out")
            continue
        done.append(_anonymise_photo(anonymiser, photo, output, no_face, strict))
        tqdm.tqdm.write(done[-1].line())
    settings = {
        "method": method,
        "checkpoint": checkpoint,
        "condition": condition,
        "consistent": consistent,
    }
    if not done:
        raise click.ClickException("no photo in the input")
    try:
        outcomes.write_report(output, settings, done)
    except OSError as error:
        raise click.ClickException(f"{outcomes.REPORT} not written: {error}") from error
    click.echo(outcomes.summary(done, output))
    raise SystemExit(outcomes.exit_code(done))


def _anonymise_photo(
    anonymiser: Anonymiser,
    photo: photos.PhotoFile,
    output: pathlib.Path,
    no_face: str,
    strict: bool,
) -> outcomes.Outcome:
    """One photo from file to file; what became of it."""
    name = str(photo.path)
    try:
        path = media.output_path(photo, output)
        # A result of an earlier run must not outlive a failure of this one.
        path.unlink(missing_ok=True)
        image = photos.read_photo(photo.path)
        try:
            result, faces = anonymiser(image, seed=photo.name)
        except NoFaceError:
            if no_face == COPY:
                media.write_photo(path, image)
                return outcomes.Outcome(name, outcomes.NO_FACE, str(path))
            return outcomes.Outcome(name, outcomes.NO_FACE)
        covered = [face.covered_because for face in faces if face.covered_because]
        if covered and strict:
            raise photos.PhotoError(f"a face would be covered ({covered[0]})")
        media.write_photo(path, result)
    except Exception as error:  # whatever fails, the other photos go on
        reason = str(error).removeprefix(f"{photo.path}: ")
        if not isinstance(error, photos.PhotoError):
            reason = f"{type(error).__name__}: {reason}"
        return outcomes.Outcome(name, outcomes.FAILED, reason=reason)
    kind = outcomes.COVERED if covered else outcomes.REPLACED
    return outcomes.Outcome(name, kind, str(path), faces=tuple(faces))


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
