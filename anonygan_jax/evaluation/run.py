"""An evaluation from photos to report: anonymise, measure, compute figures, write."""

import dataclasses
import pathlib

import numpy as np

from anonygan_jax.anonymise.anonymiser import FACE
from anonygan_jax.composites.bank import embedded_bank, load_bank
from anonygan_jax.detection import mtcnn
from anonygan_jax.evaluation.collect.datasets import dataset_photos
from anonygan_jax.evaluation.collect.features import NotEnoughError
from anonygan_jax.evaluation.collect.folder import FolderEvaluator
from anonygan_jax.evaluation.collect.folders import (
    FolderError,
    Problem,
    photos_in,
    unmatched,
)
from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.collect.networks import available_networks
from anonygan_jax.evaluation.collect.pair_lists import PairList, pairs_of, read_pairs
from anonygan_jax.evaluation.collect.pose import mean_face
from anonygan_jax.evaluation.method_results import MethodResults, make_results
from anonygan_jax.evaluation.metrics.gallery import Gallery
from anonygan_jax.evaluation.metrics.row import (
    Galleries,
    Row,
    method_row,
    originals_row,
)
from anonygan_jax.evaluation.report.before_after import write_before_after
from anonygan_jax.evaluation.report.report import Report
from anonygan_jax.recognition.table import DLIB

Photos = dict[str, pathlib.Path]
ORIGINAL = "original"  # title of the originals
GALLERY = 1_000  # photos: of fewer, rank 1 says little


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Photos and settings of an evaluation.

    Attributes:
      originals: a folder of photos, or "lfw" or "celeba", which TFDS downloads.
      anonymised: title -> folder of results with the names of their originals.
      methods: title -> "NAME" or "NAME:CHECKPOINT" of a method to run.
      pairs: a list of photo pairs in LFW's format, or None.
      count: number of originals at most, the first by name; with pairs, the photos of
        pairs that are spread evenly over the list.
      inception_weights: a PyTorch file, or None.
      recogniser_weights: PyTorch files, by names of `recognition.table.FROM_FILES`.
      use_mtcnn: detect faces with MTCNN, too, where it is installed.
      gallery: number of originals that an attacker has, at least, where there are so
        many; those beyond `count` are spread evenly over the names.
      consistent: "face" or "person": whose faces get the same condition.
      num_workers: number of processes.
    """

    originals: str
    anonymised: dict[str, pathlib.Path] = dataclasses.field(default_factory=dict)
    methods: dict[str, str] = dataclasses.field(default_factory=dict)
    pairs: pathlib.Path | None = None
    count: int | None = None
    inception_weights: pathlib.Path | None = None
    recogniser_weights: dict[str, pathlib.Path] = dataclasses.field(
        default_factory=dict
    )
    use_mtcnn: bool = True
    gallery: int = GALLERY
    consistent: str = FACE
    num_workers: int = 1


def evaluate(evaluation: Evaluation, output: pathlib.Path) -> Report:
    """Returns the report, and writes it with plots and a contact sheet.

    Raises:
      ValueError: nothing can be measured: folders, pairs or weights do not fit.
      MissingPackage: the originals need TFDS or a bucket, and a package is missing.
      OSError: the report cannot be written.
    """
    networks = available_networks(
        evaluation.inception_weights, evaluation.recogniser_weights
    )
    pairs = read_pairs(evaluation.pairs) if evaluation.pairs else None
    if pairs and evaluation.count:
        pairs = pairs.thinned(evaluation.count)
    output.mkdir(parents=True, exist_ok=True)
    every, problems = dataset_photos(evaluation.originals, output / "originals")
    photos, missing = pairs.chosen(every) if pairs else (every, [])
    photos = {name: photos[name] for name in sorted(photos)[: evaluation.count]}
    made = make_results(
        evaluation.methods,
        evaluation.anonymised,
        photos,
        output / "results",
        evaluation.num_workers,
        evaluation.consistent,
    )
    left_out = {ORIGINAL: problems + missing} | made.problems
    use_mtcnn = evaluation.use_mtcnn and mtcnn.is_installed()
    with FolderEvaluator(networks, use_mtcnn, evaluation.num_workers) as evaluator:
        originals = evaluator.originals(photos)
        more = evaluator.gallery(_more(every, photos, evaluation.gallery))
        galleries = {
            name: Gallery(known | more.embeddings.get(name, {}))
            for name, known in originals.embeddings.items()
        }
        left_out[ORIGINAL] += more.problems
        rows = _rows(evaluator, originals, galleries, photos, made, pairs, left_out)
    sheets = {title: photos_in(folder)[0] for title, folder in made.folders.items()}
    write_before_after({ORIGINAL: photos} | sheets, output / "contact_sheet.jpg")
    report = Report(
        originals=evaluation.originals,
        num_photos=len(photos),
        num_faces=len(originals.observations),
        rows=rows + made.empty_rows,
        problems=left_out,
        mean_face=mean_face([f.points_xy for f in originals.observations.values()]),
        settings=_settings(evaluation, pairs, use_mtcnn) | _gallery_size(galleries),
    )
    report.write(output)
    return report


def _rows(
    evaluator: FolderEvaluator,
    originals: FolderMeasurement,
    galleries: Galleries,
    photos: Photos,
    made: MethodResults,
    listed: PairList | None,
    left_out: dict[str, list[Problem]],
) -> list[Row]:
    """The rows of the originals and of each folder; adds problems to `left_out`."""
    left_out[ORIGINAL] += originals.problems
    if not originals.observations:
        raise FolderError("no photo of the originals shows a face")
    known, seen = galleries[DLIB].embeddings.keys(), originals.observations.keys()
    pairs = listed or pairs_of(known, seen)
    rows = [originals_row(originals, galleries, pairs)]
    floors: dict[str, FolderMeasurement] = {}
    demographics = load_bank(embedded_bank()).demographics
    apparent_group = demographics.likeliest if demographics else None
    for title, folder in made.folders.items():
        results, problems = photos_in(folder)
        named = {problem.photo for problem in left_out.setdefault(title, [])}
        problems += [p for p in unmatched(photos, results) if p.photo not in named]
        measured = evaluator.results(results, photos, originals, title)
        left_out[title] += problems + measured.problems
        if listed and not len(listed.among(known, measured.observations.keys())):
            raise NotEnoughError(f"{title}: no photo pair of the list is there")
        region = made.regions[title]
        if region not in floors:
            floors[region] = evaluator.floor(photos, originals, region)
            if problems := floors[region].problems:
                left_out[f"black patch ({region})"] = problems
        floor = floors[region]
        rows.append(
            method_row(
                *(title, originals, measured, galleries, floor, region, pairs),
                apparent_group,
            )
        )
    return rows


def _more(every: Photos, chosen: Photos, count: int) -> Photos:
    """Photos that fill a gallery up, spread evenly over the names."""
    others = sorted(every.keys() - chosen.keys())
    wanted = max(0, min(count - len(chosen), len(others)))
    places = np.linspace(0, len(others) - 1, wanted).astype(int)
    return {others[place]: every[others[place]] for place in places}


def _gallery_size(galleries: Galleries) -> dict[str, object]:
    """What the ranks depend on."""
    gallery = galleries[DLIB]
    people = len(set(gallery.people))
    return {"gallery": f"{len(gallery.names)} photos of {people} people"}


def _settings(
    evaluation: Evaluation, pairs: PairList | None, use_mtcnn: bool
) -> dict[str, object]:
    """Settings that the figures depend on."""
    return {
        "pairs": f"{evaluation.pairs} ({len(pairs)})" if pairs else "none",
        "at most": evaluation.count or "all",
        "MTCNN": "yes" if use_mtcnn else "no",
        "consistent": evaluation.consistent,
    }
