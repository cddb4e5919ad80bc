"""Background: structural similarity of originals and results outside the faces."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import (
    EVERY_FACE,
    NUMBER,
    Figure,
    Metric,
    MetricInputs,
)

BACKGROUND_SSIM = "background_ssim"


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """The mean over photos."""
    compared = inputs.results.comparisons.values()
    values = np.array([comparison.background_ssim for comparison in compared])
    return {BACKGROUND_SSIM: estimates.mean(values)}


METRIC = Metric(
    {BACKGROUND_SSIM: Figure("background SSIM", NUMBER, 4)}, _measure, EVERY_FACE
)
