"""Verification of photo pairs whose second photo is anonymised, by LFW's protocol."""

from anonygan_jax.evaluation.collect.pair_lists import PairList
from anonygan_jax.evaluation.metrics import estimates, reidentification
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import (
    ORIGINALS,
    RESULTS,
    Figure,
    Metric,
    MetricInputs,
)
from anonygan_jax.evaluation.metrics.reidentification import (
    FAR,
    Curve,
    Embeddings,
)
from anonygan_jax.recognition.table import DLIB, RECOGNISERS
from anonygan_jax.recognition.thresholds import SAME_PERSON


def chosen_pairs(inputs: MetricInputs, name: str) -> PairList | None:
    """Returns the pairs with an original first and a result second, if any."""
    if inputs.pairs is None:
        return None
    known, made = _embeddings(inputs, name)
    chosen = inputs.pairs.among(known.keys(), made.keys())
    return chosen if len(chosen) else None


def curves(inputs: MetricInputs) -> dict[str, Curve]:
    """Returns the ROC of the pairs by recogniser, where both kinds of pairs exist."""
    found = {}
    for name in inputs.results.embeddings:
        if chosen := chosen_pairs(inputs, name):
            distances = _distances(inputs, name, chosen)
            if curve := reidentification.roc(chosen.same, distances):
                found[name] = curve
    return found


def _embeddings(inputs: MetricInputs, name: str) -> tuple[Embeddings, Embeddings]:
    """A recogniser's embeddings of originals and of results."""
    return inputs.originals.embeddings[name], inputs.results.embeddings[name]


def _distances(inputs: MetricInputs, name: str, pairs: PairList):
    """Distances of the pairs, float64 [P]."""
    return reidentification.pair_distances(pairs, *_embeddings(inputs, name))


def _measure_accuracy(inputs: MetricInputs) -> dict[str, Estimate]:
    """Accuracy with the threshold that is best on the other folds."""
    measures = {}
    for name in inputs.results.embeddings:
        if chosen := chosen_pairs(inputs, name):
            distances = _distances(inputs, name, chosen)
            right = reidentification.verified(chosen, distances)
            measures[f"accuracy_{name}"] = estimates.over_folds(right, chosen.fold)
    return measures


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """True accept rates: pairs of one person under a threshold."""
    measures = {}
    for name in inputs.results.embeddings:
        if chosen := chosen_pairs(inputs, name):
            known = inputs.originals.embeddings[name]
            limits = {"tar_at_far_1e-3": reidentification.threshold_at_far(known, FAR)}
            if name == DLIB:
                limits["tar_at_0.6"] = SAME_PERSON
            distances = _distances(inputs, name, chosen)[chosen.same]
            folds = chosen.fold[chosen.same]
            for key, limit in limits.items():
                hits = distances < limit
                measures[f"{key}_{name}"] = estimates.over_folds(hits, folds)
    return measures


ACCURACY = Metric(
    {
        f"accuracy_{key}": Figure(f"{known.title}: verification accuracy")
        for key, known in RECOGNISERS.items()
    },
    _measure_accuracy,
    frozenset((ORIGINALS,)),
)
METRIC = Metric(
    {"tar_at_0.6_dlib": Figure(f"dlib: verification, TAR at distance {SAME_PERSON}")}
    | {
        f"tar_at_far_1e-3_{key}": Figure(
            f"{known.title}: verification, TAR at FAR {FAR}"
        )
        for key, known in RECOGNISERS.items()
    },
    _measure,
    frozenset((ORIGINALS, RESULTS)),
)
