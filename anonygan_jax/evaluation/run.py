"""An evaluation from photos to report: anonymise, look, measure, write."""

import dataclasses
import logging
import pathlib
import re

import numpy as np
import tqdm

from anonygan_jax.anonymise.anonymiser import FACE
from anonygan_jax.anonymise.batch.pool import anonymise_photos, processes
from anonygan_jax.anonymise.batch.worker import Task, Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.composites.bank import embedded_bank, load_bank
from anonygan_jax.detection import mtcnn
from anonygan_jax.evaluation.collect import emotion, folders, networks
from anonygan_jax.evaluation.collect.datasets import dataset_photos
from anonygan_jax.evaluation.collect.folder import (
    FolderEvaluator,
    FolderMeasurement,
    Network,
)
from anonygan_jax.evaluation.collect.folders import FolderError, Problem
from anonygan_jax.evaluation.collect.pair_lists import (
    PairList,
    PairListError,
    read_pairs,
)
from anonygan_jax.evaluation.metrics.row import Row, method_row, originals_row
from anonygan_jax.evaluation.report.contact_sheet import contact_sheet
from anonygan_jax.evaluation.report.report import Report
from anonygan_jax.faces import alignment
from anonygan_jax.weights.generator_checkpoint import CheckpointError

logger = logging.getLogger(__name__)

Photos = dict[str, pathlib.Path]


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What is evaluated, and how.

    Attributes:
      originals: a folder of photos, or "lfw" or "celeba", which TFDS fetches.
      anonymised: title -> folder of results, called as their originals.
      methods: title -> "NAME" or "NAME:CHECKPOINT", whose results are made first.
      pairs: a list of pairs in LFW's form, or None.
      count: at most so many originals, the first by name; or of pairs spread evenly
        over the list.
      inception_weights, facenet_casia, facenet_vggface2: files of PyTorch, or None.
      use_mtcnn: ask MTCNN where it is installed.
      num_workers: processes.
    """

    originals: str
    anonymised: dict[str, pathlib.Path] = dataclasses.field(default_factory=dict)
    methods: dict[str, str] = dataclasses.field(default_factory=dict)
    pairs: pathlib.Path | None = None
    count: int | None = None
    inception_weights: pathlib.Path | None = None
    facenet_casia: pathlib.Path | None = None
    facenet_vggface2: pathlib.Path | None = None
    use_mtcnn: bool = True
    num_workers: int = 1


def evaluate(evaluation: Evaluation, output: pathlib.Path) -> Report:
    """Returns the report after writing it, with plots and a sheet, into `output`.

    Raises:
      ValueError: nothing can be measured: folders, pairs or weights do not fit.
      ImportError: dlib or another package is missing; the message says which.
    """
    networks = _networks(evaluation)
    pairs = read_pairs(evaluation.pairs) if evaluation.pairs else None
    if pairs is not None and evaluation.count:
        pairs = pairs.thinned(evaluation.count)
    output.mkdir(parents=True, exist_ok=True)
    photos, problems = dataset_photos(evaluation.originals, output / "originals")
    photos, missing = _chosen(photos, pairs, evaluation.count)
    left_out = {"original": problems + missing}
    made, empty = _make_results(evaluation, photos, output, left_out)
    use_mtcnn = evaluation.use_mtcnn and mtcnn.is_installed()
    with FolderEvaluator(networks, use_mtcnn, evaluation.num_workers) as surveyor:
        originals = surveyor.originals(photos)
        rows = _measure(surveyor, originals, photos, made, pairs, left_out)
    sheets = {title: folders.photos_in(folder)[0] for title, folder in made.items()}
    contact_sheet({"original": photos} | sheets, output / "contact_sheet.jpg")
    report = Report(
        originals=evaluation.originals,
        num_photos=len(photos),
        num_faces=len(originals.seen),
        rows=rows + empty,
        problems=left_out,
        mean_face=_mean_face(originals),
        settings=_settings(evaluation, pairs, use_mtcnn),
    )
    report.write(output)
    return report


def _measure(
    surveyor: FolderEvaluator,
    originals: FolderMeasurement,
    photos: Photos,
    made: dict[str, pathlib.Path],
    pairs: PairList | None,
    left_out: dict[str, list[Problem]],
) -> list[Row]:
    """The originals' row and one for each folder of results; notes what is left out."""
    left_out["original"] += originals.problems
    if not originals.seen:
        raise FolderError("no photo of the originals shows a face")
    rows = [originals_row(originals, pairs)]
    groups = load_bank(embedded_bank()).demographics
    guess = groups.likeliest if groups else None
    for title, folder in made.items():
        results, problems = folders.photos_in(folder)
        named = {problem.photo for problem in left_out.setdefault(title, [])}
        unmatched = folders.unmatched(photos, results)
        problems += [p for p in unmatched if p.photo not in named]
        survey = surveyor.results(results, photos, originals, title)
        left_out[title] += problems + survey.problems
        rows.append(method_row(title, originals, survey, pairs, guess))
    return rows


def _networks(evaluation: Evaluation) -> list[Network]:
    """The networks whose weights are at hand."""
    made: list[Network] = []
    if evaluation.inception_weights:
        made += networks.inception_networks(evaluation.inception_weights)
    if efficientnet := networks.efficientnet_network():
        made.append(efficientnet)
    for name in ("facenet_casia", "facenet_vggface2"):
        if weights := getattr(evaluation, name):
            made.append(networks.facenet_network(name, weights))
    if classifier := emotion.emotion_classifier():
        made.append(classifier)
    return made


def _chosen(
    photos: Photos, pairs: PairList | None, count: int | None
) -> tuple[Photos, list[Problem]]:
    """The originals that are evaluated, and photos of pairs that are not there."""
    missing = []
    if pairs is not None:
        wanted = pairs.photos()
        missing = [
            Problem(name, "named in the pairs, but not there")
            for name in sorted(wanted - photos.keys())
        ]
        photos = {name: photos[name] for name in sorted(wanted & photos.keys())}
        if not len(pairs.among(photos.keys(), photos.keys())):
            raise PairListError(
                f"none of the {len(pairs)} pairs has both of its photos there; a photo "
                "is called NAME/NAME_0001"
            )
    names = sorted(photos)[:count]
    return {name: photos[name] for name in names}, missing


def _make_results(
    evaluation: Evaluation,
    photos: Photos,
    output: pathlib.Path,
    left_out: dict[str, list[Problem]],
) -> tuple[dict[str, pathlib.Path], list[Row]]:
    """Folders of results by title, and rows of methods that lack their weights."""
    folders_by_title = dict(evaluation.anonymised)
    empty = []
    for title, text in evaluation.methods.items():
        folder = output / "results" / re.sub(r"\W+", "_", title)
        try:
            failed = _hide_faces(photos, text, folder, evaluation.num_workers)
        except CheckpointError as error:
            logger.warning("%s: %s", title, error)
            empty.append(Row(title, {}, {}, None, [str(error)]))
            continue
        left_out[title] = failed
        folders_by_title[title] = folder
    if not folders_by_title and not empty:
        raise FolderError("nothing to evaluate: give --methods or --anonymised")
    return folders_by_title, empty


def _hide_faces(
    photos: Photos, method: str, folder: pathlib.Path, num_workers: int
) -> list[Problem]:
    """Results of a method as PNG files, each face with a new face of its own."""
    tasks = [
        Task(path, name, folder / f"{name}.png")
        for name, path in sorted(photos.items())
        if not (folder / f"{name}.png").exists()
    ]
    settings = Settings.of_method(method, consistent=FACE)
    here = Worker(settings)
    with processes(settings, here, num_workers) as helpers:
        outcomes = anonymise_photos(tasks, helpers, here)
        bar = tqdm.tqdm(outcomes, method, len(tasks), unit="photo")
        return [
            Problem(task.name, outcome.reason or "no result")
            for task, outcome in zip(tasks, bar, strict=True)
            if not outcome.result
        ]


def _mean_face(originals: FolderMeasurement) -> np.ndarray:
    """Mean landmarks in CelebA's frame, float [68, 2]."""
    framed = [
        alignment.transform_points(
            alignment.celeba_transform(seen.points_xy, alignment.CELEBA_SIZE),
            seen.points_xy,
        )
        for seen in originals.seen.values()
    ]
    return np.mean(framed, axis=0)


def _settings(
    evaluation: Evaluation, pairs: PairList | None, use_mtcnn: bool
) -> dict[str, object]:
    """What decides the figures besides the photos."""
    return {
        "pairs": f"{evaluation.pairs} ({len(pairs)})" if pairs else "none",
        "at most": evaluation.count or "all",
        "MTCNN": "yes" if use_mtcnn else "no",
    }
