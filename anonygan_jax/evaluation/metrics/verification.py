"""Verification of photo pairs whose second photo is anonymised, by LFW's protocol."""

import functools
from collections.abc import Callable

import numpy as np

from anonygan_jax.evaluation.collect.pair_lists import PairList
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


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """True accept rates, and the area under the ROC.

    The areas have no intervals: those of the means over pairs of one person would leave
    out that the pairs of different people are a sample, too.
    """
    measures: dict[str, Estimate] = {}
    for name in inputs.results.embeddings:
        for far, limit in inputs.gallery[name].thresholds.items():
            accepted = functools.partial(_below, limit=limit)
            of_same = functools.partial(_of_same, inputs, name, value=accepted)
            measures |= beside.measure(inputs, name, tar_key(far, name), of_same)
        of_same = functools.partial(_of_same, inputs, name, value=nearer_than)
        areas = beside.measure(inputs, name, f"auc_{name}", of_same)
        measures |= {key: estimates.without_interval(a) for key, a in areas.items()}
    return measures


def _of_same(
    inputs: MetricInputs,
    name: str,
    made: Embeddings,
    value: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Values:
    """A value of each pair of one person, from distances of both kinds of pairs."""
    chosen = _chosen(inputs, name, made)
    if chosen is None:
        return {}
    apart, same = _distances(inputs, name, made, chosen), chosen.same
    pairs = zip(chosen.second, chosen.first, strict=True)
    probes = [pair for pair, own in zip(pairs, same, strict=True) if own]
    found = value(apart[same], apart[~same])
    return dict(zip(probes, found.tolist(), strict=True))


def _below(same: np.ndarray, _: np.ndarray, limit: float) -> np.ndarray:
    """Whether pairs of one person are accepted, float64 [P]."""
    return (same < limit).astype(float)


def nearer_than(same: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Returns the share of `other` distances above each of `same`, half of equal ones.

    Its mean is the area under the ROC. NaN without `other` distances.
    """
    if not len(other):
        return np.full(len(same), np.nan)
    ordered = np.sort(other)
    below = np.searchsorted(ordered, same, "left").astype(float)
    return 1 - (below + np.searchsorted(ordered, same, "right")) / 2 / len(ordered)


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
    }
    | {
        key: figure
        for name, known in RECOGNISERS.items()
        for key, figure in beside.figures(
            f"auc_{name}", f"{known.title}: area under the ROC", NUMBER, 3
        ).items()
    },
    _measure,
    frozenset((ORIGINALS, RESULTS)),
)
