"""Every method on one set of portraits: detection, re-identification, pose, time.

    python -m benchmarks.compare_methods PHOTOS --people FILE --count 1000

PHOTOS has a folder a person; FILE names the people to take (LFW's peopleDevTrain.txt or
pairsDevTrain.txt: the first word of a line). The first COUNT photos with a face, in the
order of their names, are anonymised by each method through `Anonymiser`.
Prints a Markdown table; shares with Wilson's 95% intervals. `--save DIR` keeps pairs
(before, after) to look at.
"""

import pathlib
import time

import click
import numpy as np
import tqdm
from PIL import Image
from scipy.stats import binomtest

from anonygan_jax.anonymise.pipeline import Anonymiser
from anonygan_jax.data.descriptors import SAME_PERSON
from anonygan_jax.data.landmarks import DlibLandmarks, Face, main_face
from anonygan_jax.data.photos import find_photos, read_photo
from anonygan_jax.evaluation.comparison import Comparer, Comparison
from anonygan_jax.methods import EMBEDDED, METHODS, Faces, Method, make_method


class Timed:
    """A method that notes how long each call took, seconds."""

    def __init__(self, method: Method) -> None:
        self.method, self.seconds = method, list[float]()
        self.uses_conditions, self.crop_size = method.uses_conditions, method.crop_size

    def __call__(self, faces: Faces, conditions: Faces | None) -> np.ndarray:
        start = time.perf_counter()
        hidden = self.method(faces, conditions)
        self.seconds.append(time.perf_counter() - start)
        return hidden


def portraits(
    photos: pathlib.Path, people: pathlib.Path | None, count: int
) -> list[tuple[str, np.ndarray, Face]]:
    """The first `count` photos with a face: name, pixels, main face."""
    names = set()
    if people:
        lines = people.read_text().splitlines()
        names = {line.split()[0] for line in lines if line.strip()}
    detector, found = DlibLandmarks(), []
    for photo in find_photos([photos]):
        if names and photo.path.parent.name not in names:
            continue
        image = read_photo(photo.path)
        faces = detector.detect(image, num_upsamples=1)
        if faces:
            found.append((photo.name, image, main_face(faces, image.shape)))
        if len(found) == count:
            break
    return found


def share(hits: list[bool]) -> str:
    """A percentage with its 95% interval."""
    interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * np.mean(hits):.1f}% [{low:.1f}, {high:.1f}]"


def row(name: str, results: list[Comparison], seconds: list[float]) -> str:
    """One line of the table."""
    l2 = np.array([r.pose_l2 for r in results if r.detected])
    l1 = np.array([r.pose_l1 for r in results if r.detected])
    pose = "- | -"
    if len(l2):
        error = 1.96 * l2.std() / np.sqrt(len(l2))
        pose = f"{l2.mean():.4f} ± {error:.4f} | {l1.mean():.4f}"
    again = [r.descriptor_distance < SAME_PERSON for r in results]
    milliseconds = 1000 * np.median(seconds)
    detected = share([r.detected for r in results])
    return f"| {name} | {detected} | {share(again)} | {pose} | {milliseconds:.1f} |"


@click.command()
@click.argument("photos", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--people", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--count", default=1000, show_default=True)
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--checkpoint", default=EMBEDDED, show_default=True)
@click.option("--save", type=click.Path(path_type=pathlib.Path, file_okay=False))
def main(
    photos: pathlib.Path,
    people: pathlib.Path | None,
    count: int,
    methods: str,
    checkpoint: str,
    save: pathlib.Path | None,
) -> None:
    """Prints the table."""
    found, compare = portraits(photos, people, count), Comparer()
    click.echo(f"{len(found)} photos; pose over photos with a detected face")
    click.echo("| method | detected | re-identified | pose L2 | pose L1 | ms |")
    click.echo("|---|---|---|---|---|---|")
    for name in methods.split(","):
        timed = Timed(make_method(name, checkpoint))
        anonymiser, results = Anonymiser(timed), []
        for file, image, face in tqdm.tqdm(found, desc=name, leave=False):
            after, _ = anonymiser(image, seed=file)
            results.append(compare(image, face, after))
            if save:
                path = (save / name / file).with_suffix(".png")
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.concatenate([image, after], 1)).save(path)
        click.echo(row(name, results, timed.seconds))


if __name__ == "__main__":
    main()
