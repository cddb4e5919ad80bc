"""Emotion: the share of results in the same class of emotion as their original."""

import numpy as np

from anonygan_jax.evaluation.collect.inputs import EMOTION
from anonygan_jax.evaluation.metrics import estimates, metric


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """The share, where the classifier ran."""
    if EMOTION not in inputs.results.classes:
        return {}
    before, after = (x.classes[EMOTION] for x in (inputs.originals, inputs.results))
    names = inputs.results.comparisons
    kept = [before[name] == after[name] for name in names if name in after]
    return {EMOTION: estimates.share(np.array(kept, bool))}


METRIC = metric.Metric(
    {EMOTION: metric.Figure("emotion preserved (fer's classifier)")},
    _measure,
    metric.EVERY_FACE,
)
