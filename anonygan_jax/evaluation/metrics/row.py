"""A row of the table: every figure of one folder of results."""

import dataclasses

import numpy as np

from anonygan_jax.evaluation.collect.folder import FolderMeasurement
from anonygan_jax.evaluation.collect.inputs import EMOTION
from anonygan_jax.evaluation.collect.pair_lists import PairList
from anonygan_jax.evaluation.metrics import estimates, features, reidentification
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.frechet import NotEnoughError
from anonygan_jax.evaluation.metrics.reidentification import Curve, Embeddings
from anonygan_jax.evaluation.metrics.subgroups import Guess, strata
from anonygan_jax.recognition.thresholds import SAME_PERSON

DLIB = "dlib"
POSE_MEASURES = ("pose_l2", "pose_l1", "yaw", "pitch", "roll", "mouth", "eyes")


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured of one method.

    Attributes:
      title: the method's.
      measures: by key; see `report.MEASURES`.
      curves: by recogniser, ROC of pairs whose second photo is the method's.
      landmark_errors: float32 [68], mean displacement over interocular distance; None
        where no face was found.
      remarks: what a reader of the figures must know.
      strata: title -> measures of some of the faces, as in `_of_faces`.
    """

    title: str
    measures: dict[str, Estimate]
    curves: dict[str, Curve]
    landmark_errors: np.ndarray | None
    remarks: list[str]
    strata: dict[str, dict[str, Estimate]] = dataclasses.field(default_factory=dict)


def originals_row(originals: FolderMeasurement, pairs: PairList | None) -> Row:
    """Returns the sanity row: the recognisers on unchanged photos."""
    measures: dict[str, Estimate] = {}
    curves: dict[str, Curve | None] = {}
    for name, known in originals.embeddings.items():
        if pairs is not None and len(chosen := pairs.among(known.keys(), known.keys())):
            apart = reidentification.pair_distances(chosen, known, known)
            measures |= _verification(name, chosen, apart, known)
            right = reidentification.verified(chosen, apart)
            measures[f"accuracy_{name}"] = estimates.over_folds(right, chosen.fold)
            curves[name] = reidentification.roc(chosen.same, apart)
        hits = reidentification.rank_one(known, known)
        measures[f"rank_one_{name}"] = estimates.share(hits)
    found = {n: c for n, c in curves.items() if c is not None}
    return Row("original", measures, found, None, [])


def method_row(
    title: str,
    originals: FolderMeasurement,
    results: FolderMeasurement,
    pairs: PairList | None,
    guess: Guess | None = None,
) -> Row:
    """Returns the figures of a method's results.

    Args:
      title: the method's.
      originals, results: what was seen before and after.
      pairs: to verify, if any.
      guess: see `strata`.

    Raises:
      NotEnoughError: there are fewer than two results.
    """
    if len(results.seen) < 2:
        raise NotEnoughError(
            f"{title}: {len(results.seen)} results whose originals show a face; at "
            "least 2 are needed"
        )
    remarks: list[str] = []
    measures = _of_faces(originals, results)
    for name in results.features:
        measures |= _distances(name, originals, results, remarks)
    curves: dict[str, Curve] = {}
    for name, made in results.embeddings.items():
        known = originals.embeddings[name]
        measures |= _identification(name, known, made)
        if pairs is not None:
            found, curve = _in_pairs(name, known, made, pairs, title)
            measures |= found
            curves |= {name: curve} if curve else {}
    errors = _landmark_errors(results)
    compared = {name: originals.seen[name] for name in results.comparisons}
    parts = {
        part: _of_faces(originals, results.part(names))
        for part, names in strata(compared, guess).items()
    }
    return Row(title, measures, curves, errors, remarks, parts)


def _of_faces(
    originals: FolderMeasurement, results: FolderMeasurement
) -> dict[str, Estimate]:
    """What can be measured face by face, of all of them or of some."""
    measures = _detection(originals, results) | _shape(results)
    for name in results.embeddings:
        measures |= _own_original(name, originals, results)
    if EMOTION in results.classes:
        before, after = originals.classes[EMOTION], results.classes[EMOTION]
        kept = [before[n] == after[n] for n in results.comparisons if n in after]
        measures["emotion"] = estimates.share(np.array(kept, bool))
    return measures


def _in_pairs(
    name: str, known: Embeddings, made: Embeddings, pairs: PairList, title: str
) -> tuple[dict[str, Estimate], Curve | None]:
    """Pairs whose second photo is anonymised, and pairs of two results."""
    chosen = pairs.among(known.keys(), made.keys())
    if len(chosen) == 0:
        raise NotEnoughError(f"{title}: no photo pair of the list is there")
    apart = reidentification.pair_distances(chosen, known, made)
    measures = _verification(name, chosen, apart, known)
    both = pairs.among(made.keys(), made.keys())
    if len(both):
        linked = reidentification.pair_distances(both, made, made) < _strict(made)
        measures[f"linked_{name}"] = estimates.share(linked[both.same])
    return measures, reidentification.roc(chosen.same, apart)


def _landmark_errors(results: FolderMeasurement) -> np.ndarray | None:
    """Each landmark's mean displacement, where faces were found."""
    errors = np.stack([c.landmark_errors for c in results.comparisons.values()])
    found = np.isfinite(errors).all(1)
    return errors[found].mean(0) if found.any() else None


def _detection(
    originals: FolderMeasurement, results: FolderMeasurement
) -> dict[str, Estimate]:
    """Shares of the faces found in the originals that are found again."""
    seen = results.seen
    measures = {
        "detected_dlib": estimates.share(np.array([s.detected for s in seen.values()]))
    }
    asked = [n for n in seen if originals.seen[n].detected_by_mtcnn]
    if any(s.detected_by_mtcnn is not None for s in seen.values()):
        hits = [bool(seen[n].detected_by_mtcnn) for n in asked]
        measures["detected_mtcnn"] = estimates.share(np.array(hits, bool))
    return measures


def _shape(results: FolderMeasurement) -> dict[str, Estimate]:
    """Means of pose, expression and context."""
    compared = results.comparisons.values()
    names = (*POSE_MEASURES, "context")
    return {
        n: estimates.mean(np.array([getattr(c, n) for c in compared])) for n in names
    }


def _distances(
    name: str,
    originals: FolderMeasurement,
    results: FolderMeasurement,
    remarks: list[str],
) -> dict[str, Estimate]:
    """Distances of the distributions of features."""
    real, made = originals.features[name], results.features[name]
    dimension = real.kept.shape[1]
    if min(real.count, made.count) <= dimension:
        remarks.append(
            f"{made.count} photos for {dimension} features ({name}): the covariance is "
            "singular and the Frechet distance too large; compare only with distances "
            "of as many photos"
        )
    measures = {
        f"frechet_{name}": features.distance(real, made),
        f"kernel_{name}": features.kernel(real, made),
    }
    if min(len(real.kept), len(made.kept)) > 3:
        precision, recall = features.precision_and_recall(real, made)
        measures |= {f"precision_{name}": precision, f"recall_{name}": recall}
    return measures


def _own_original(
    name: str, originals: FolderMeasurement, results: FolderMeasurement
) -> dict[str, Estimate]:
    """Share of results taken for their own original; by class where there are any."""
    known, made = originals.embeddings[name], results.embeddings[name]
    both = [n for n in made if n in known]
    if name in results.classes:
        before, after = originals.classes[name], results.classes[name]
        hits = [before[n] == after[n] for n in both]
    else:
        hits = [bool(np.linalg.norm(known[n] - made[n]) < SAME_PERSON) for n in both]
    return {f"own_{name}": estimates.share(np.array(hits, bool))}


def _identification(
    name: str, known: Embeddings, made: Embeddings
) -> dict[str, Estimate]:
    """Anonymised probes in galleries of originals and of results."""
    return {
        f"rank_one_{name}": estimates.share(reidentification.rank_one(known, made)),
        f"parrot_{name}": estimates.share(reidentification.rank_one(made, made)),
    }


def _verification(
    name: str, pairs: PairList, apart: np.ndarray, known: Embeddings
) -> dict[str, Estimate]:
    """Pairs of one person that are accepted as such."""
    limits = {"strict": _strict(known)}
    if name == DLIB:
        limits["pairs"] = SAME_PERSON
    folds = pairs.fold[pairs.same]
    return {
        f"{key}_{name}": estimates.over_folds(apart[pairs.same] < limit, folds)
        for key, limit in limits.items()
    }


def _strict(known: Embeddings) -> float:
    """The limit of one false accept in a thousand."""
    return reidentification.strict_threshold(known, reidentification.FALSE_ACCEPTS)
