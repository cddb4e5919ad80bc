"""Verification of photo pairs whose second photo is anonymised, by LFW's protocol."""

import functools

import numpy as np

from anonygan_jax.evaluation.collect.pair_lists import PairList, person
from anonygan_jax.evaluation.metrics import beside, estimates, reidentification
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import FARS, Values, far_text
from anonygan_jax.evaluation.metrics.metric import (
    NUMBER,
    ORIGINALS,
    RESULTS,
    Figure,
    Metric,
    MetricInputs,
)
from anonygan_jax.evaluation.metrics.reidentification import Curve, Embeddings
from anonygan_jax.recognition.table import RECOGNISERS


def tar_key(far: float, name: str) -> str:
    """Returns the key of a true accept rate."""
    return f"tar_at_far_{far_text(far)}_{name}"


def curves(inputs: MetricInputs) -> dict[str, Curve]:
    """Returns the ROC of the pairs by recogniser, where both kinds of pairs exist."""
    found = {}
    for name, made in inputs.results.embeddings.items():
        if chosen := _chosen(inputs, name, made):
            distances = _distances(inputs, name, made, chosen)
            if curve := reidentification.roc(chosen.same, distances):
                found[name] = curve
    return found


def _chosen(inputs: MetricInputs, name: str, made: Embeddings) -> PairList | None:
    """The pairs with an original first and one of `made` second, if any."""
    if inputs.pairs is None:
        return None
    known = inputs.gallery[name].embeddings
    chosen = inputs.pairs.among(known.keys(), made.keys())
    return chosen if len(chosen) else None


def _distances(
    inputs: MetricInputs, name: str, made: Embeddings, pairs: PairList
) -> np.ndarray:
    """Distances of the pairs, float64 [P]."""
    known = inputs.gallery[name].embeddings
    return reidentification.pair_distances(pairs, known, made)


def _measure_accuracy(inputs: MetricInputs) -> dict[str, Estimate]:
    """Accuracy with the threshold that is best on the other folds."""
    measures = {}
    for name, made in inputs.results.embeddings.items():
        if chosen := _chosen(inputs, name, made):
            distances = _distances(inputs, name, made, chosen)
            right = reidentification.verified(chosen, distances)
            measures[f"accuracy_{name}"] = estimates.over_folds(right, chosen.fold)
    return measures


def _measure_rates(inputs: MetricInputs) -> dict[str, Estimate]:
    """True accept rates."""
    measures: dict[str, Estimate] = {}
    for name in inputs.results.embeddings:
        for far, limit in inputs.gallery[name].thresholds.items():
            accepted = functools.partial(_accepted, inputs, name, limit=limit)
            measures |= beside.measure(inputs, name, tar_key(far, name), accepted)
    return measures


def _accepted(
    inputs: MetricInputs, name: str, made: Embeddings, limit: float
) -> Values:
    """Whether each pair of one person is accepted, by pair."""
    chosen = _chosen(inputs, name, made)
    if chosen is None:
        return {}
    below = (_distances(inputs, name, made, chosen) < limit)[chosen.same]
    pairs = zip(chosen.second, chosen.first, strict=True)
    probes = [pair for pair, own in zip(pairs, chosen.same, strict=True) if own]
    return dict(zip(probes, below.astype(float).tolist(), strict=True))


def _measure_areas(inputs: MetricInputs) -> dict[str, Estimate]:
    """Areas under the ROC; a person who is left out is in no pair of either kind."""
    measures: dict[str, Estimate] = {}
    for name, made in inputs.results.embeddings.items():
        floor = beside.floor_of(inputs, name)
        both = made if floor is None else {k: made[k] for k in made if k in floor}
        chosen = _chosen(inputs, name, both)
        if chosen is None or chosen.same.all() or not chosen.same.any():
            continue
        apart = [
            _distances(inputs, name, seen, chosen) for seen in (made, floor) if seen
        ]
        areas = _areas(chosen, *apart)
        measures |= {f"auc_{name}{end}": area for end, area in areas.items()}
    return measures


def _areas(
    pairs: PairList, apart: np.ndarray, floor: np.ndarray | None = None
) -> dict[str, Estimate]:
    """The area of some distances; with the floor's the difference; by a key's end."""
    people = np.array(
        [[person(a), person(b)] for a, b in zip(pairs.first, pairs.second, strict=True)]
    )
    area = functools.partial(_area, pairs.same, apart)
    areas = {"": estimates.jackknife(area, people)}
    if floor is not None:
        least = functools.partial(_area, pairs.same, floor)
        areas[beside.FLOOR] = estimates.jackknife(least, people)
        areas[beside.OVER_FLOOR] = estimates.jackknife(
            lambda kept: area(kept) - least(kept), people
        )
    return areas


def _area(same: np.ndarray, distances: np.ndarray, kept: np.ndarray) -> float:
    """The area under the ROC of some pairs; NaN without pairs of both kinds."""
    own, other = distances[kept & same], np.sort(distances[kept & ~same])
    if not len(own) or not len(other):
        return np.nan
    nearer = np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")
    return float(1 - nearer.mean() / 2 / len(other))


ACCURACY = Metric(
    {
        f"accuracy_{key}": Figure(f"{known.title}: verification accuracy")
        for key, known in RECOGNISERS.items()
    },
    _measure_accuracy,
    frozenset((ORIGINALS,)),
)
METRIC = Metric(
    {
        key: figure
        for name, known in RECOGNISERS.items()
        for far in FARS
        for key, figure in beside.figures(
            tar_key(far, name), f"{known.title}: verification, TAR at FAR {far:g}"
        ).items()
    },
    _measure_rates,
    frozenset((ORIGINALS, RESULTS)),
)
AREA = Metric(
    {
        key: figure
        for name, known in RECOGNISERS.items()
        for key, figure in beside.figures(
            f"auc_{name}", f"{known.title}: area under the ROC", NUMBER, 3
        ).items()
    },
    _measure_areas,
    frozenset((ORIGINALS, RESULTS)),
)
