"""Background: structural similarity of originals and results outside the faces."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates, metric

BACKGROUND_SSIM = "background_ssim"


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """The mean over photos."""
    compared = inputs.results.comparisons.values()
    values = np.array([comparison.background_ssim for comparison in compared])
    return {BACKGROUND_SSIM: estimates.mean(values)}


METRIC = metric.Metric(
    {BACKGROUND_SSIM: metric.Figure("background SSIM", metric.NUMBER, 4)},
    _measure,
    metric.EVERY_FACE,
)
