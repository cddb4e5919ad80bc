"""Self re-identification: the share of results matched with their own original."""

import functools

import numpy as np

from anonygan_jax.evaluation.metrics import beside, estimates, metric
from anonygan_jax.evaluation.metrics.gallery import Values, far_text
from anonygan_jax.evaluation.metrics.reidentification import Embeddings
from anonygan_jax.recognition.table import RECOGNISERS

FAR = 1e-2  # of the distance below which a result is matched with its original


def own_key(name: str) -> str:
    """Returns the key of the share that a recogniser matches by distance."""
    return f"own_at_far_{far_text(FAR)}_{name}"


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """By distance."""
    measures: dict[str, estimates.Estimate] = {}
    for name in inputs.results.embeddings:
        if FAR in inputs.gallery[name].thresholds:
            matched = functools.partial(_matched, inputs, name)
            measures |= beside.measure(inputs, name, own_key(name), matched)
    return measures


def _matched(inputs: metric.MetricInputs, name: str, made: Embeddings) -> Values:
    """Whether each result is nearer to its original than strangers are."""
    gallery = inputs.gallery[name]
    limit, known = gallery.thresholds[FAR], gallery.embeddings
    both = made.keys() & known.keys()
    return {
        (photo,): float(np.linalg.norm(known[photo] - made[photo]) < limit)
        for photo in sorted(both)
    }


def _measure_classes(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """By the class, as the paper's table has it."""
    measures = {}
    for name, after in inputs.results.classes.items():
        if name in RECOGNISERS:
            before = inputs.originals.classes[name]
            same = [before[n] == found for n, found in after.items() if n in before]
            measures[f"reid_self_{name}"] = estimates.share(np.array(same, bool))
    return measures


METRIC = metric.Metric(
    {
        key: figure
        for name, known in RECOGNISERS.items()
        for key, figure in beside.figures(
            own_key(name), f"{known.title}: its own original accepted at FAR {FAR:g}"
        ).items()
    },
    _measure,
    metric.EVERY_FACE,
)
CLASSES = metric.Metric(
    {
        f"reid_self_{name}": metric.Figure(
            f"{known.title}: self re-identification (same class)", digits=2
        )
        for name, known in RECOGNISERS.items()
        if known.classifies
    },
    _measure_classes,
    metric.EVERY_FACE,
)
