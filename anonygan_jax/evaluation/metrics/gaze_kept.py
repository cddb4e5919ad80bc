"""Gaze: the angle between where the eyes look in originals and in results."""

import numpy as np

from anonygan_jax.evaluation.collect.gaze import gaze_difference
from anonygan_jax.evaluation.collect.inputs import GAZE
from anonygan_jax.evaluation.metrics import estimates, metric

KEY = "gaze_angle"


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """The mean over detected faces whose eyes are open before and after."""
    if GAZE not in inputs.results.angles:
        return {}
    before, after = (x.angles[GAZE] for x in (inputs.originals, inputs.results))
    compared = inputs.results.comparisons.items()
    angles = [
        gaze_difference(before[name], after[name])
        for name, comparison in compared
        if comparison.detected and name in before and name in after
    ]
    return {KEY: estimates.mean(np.array(angles))}


METRIC = metric.Metric(
    {KEY: metric.Figure("gaze error, angle in radians", metric.NUMBER, 3)},
    _measure,
    metric.EVERY_FACE,
)
