"""Photos per second of each stage of `anonygan evaluate`.

    taskset -c 0 python -m benchmarks.evaluation_speed PHOTOS --count 48

Worker processes take a photo at a time, networks a batch (with random weights: their
speed does not depend on them). Each stage is timed over all photos, several times:
minimum, median and maximum. The last lines give the time of a Frechet distance, which
is computed once a method.
"""

import pathlib
import statistics
import time
from collections.abc import Callable

import click
import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.mtcnn import Mtcnn
from anonygan_jax.evaluation.collect import comparison, inputs
from anonygan_jax.evaluation.collect.features import FeatureStatistics
from anonygan_jax.evaluation.collect.networks import FrozenNetwork
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.evaluation.metrics import frechet
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import read_photo
from anonygan_jax.models.pretrained import efficientnet, facenet, inception
from anonygan_jax.recognition.dlib import DlibDescriptor

RUNS = 3
NETWORKS = {
    "EfficientNet-Lite0": (efficientnet.EfficientNet(), efficientnet.IMAGE_SIZE),
    "Inception of FID": (inception.Inception(), inception.IMAGE_SIZE),
    "FaceNet": (facenet.FaceNet(8631), facenet.IMAGE_SIZE),
}


def timed(stage: Callable[[], object], count: int, name: str) -> None:
    """Prints the photos per second of a stage."""
    stage()  # compiles
    rates = []
    for _ in range(RUNS):
        start = time.perf_counter()
        stage()
        rates.append(count / (time.perf_counter() - start))
    low, middle, high = min(rates), statistics.median(rates), max(rates)
    click.echo(f"| {name} | {low:.1f} / {middle:.1f} / {high:.1f} |")


def time_photos(paths: list[pathlib.Path]) -> None:
    """Times the stages of a worker process."""
    observer, detector, describe = (
        FaceObserver(False),
        DlibLandmarks(),
        DlibDescriptor(),
    )
    mtcnn = Mtcnn()
    images = [read_photo(path) for path in paths]
    both = [(i, s) for i in images if (s := observer.original(i))]
    stages: dict[str, Callable[[], object]] = {
        "decoding": lambda: [read_photo(path) for path in paths],
        "dlib: detection, landmarks": lambda: [detector.detect(i, 1) for i in images],
        "dlib: descriptor": lambda: [describe(i, s.points_xy) for i, s in both],
        "MTCNN": lambda: [mtcnn.boxes(i) for i in images],
        "background SSIM": lambda: [
            comparison.background_similarity(i, i, s.face_boxes) for i, s in both
        ],
        "clean-fid's resizing": lambda: [inputs.clean_fid_picture(i) for i in images],
        "face for EfficientNet": lambda: [inputs.face_picture(i, s) for i, s in both],
    }
    for name, stage in stages.items():
        timed(stage, len(images), name)


def time_networks() -> None:
    """Times the networks on batches."""
    for name, (network, size) in NETWORKS.items():
        zeros = jnp.zeros((1, size, size, 3))
        variables = jax.jit(network.init)(jax.random.key(0, impl="rbg"), zeros)
        frozen = FrozenNetwork(name, name, network.apply, variables, 128, 128)
        batch = np.zeros((frozen.batch_size, size, size, 3), np.uint8)
        timed(lambda f=frozen, b=batch: f(b), len(batch), name)  # type: ignore[misc]


def time_distances() -> None:
    """Times the Frechet distances."""
    rng = np.random.default_rng(0)
    for dimension in (128, 1280, 2048):
        sample = rng.normal(size=(3_000, dimension))
        made = FeatureStatistics(dimension)
        made.update(sample)
        start = time.perf_counter()
        coupling = frechet.Coupling(made, made)
        coupling.error(sample, sample)
        seconds = time.perf_counter() - start
        click.echo(f"Frechet distance of {dimension} features: {seconds:.2f} s")


@click.command()
@click.argument("photos", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--count", default=48, show_default=True)
def main(photos: pathlib.Path, count: int) -> None:
    """Prints a table of photos per second."""
    found = [p.path for p in find_photos([photos]) if p.kind == PHOTO]
    spread = found[:: max(1, len(found) // count)][:count]
    click.echo("| stage | photos a second: min / median / max |\n|---|---|")
    time_photos(spread)
    time_networks()
    time_distances()


if __name__ == "__main__":
    main()
