"""Pose and expression: differences of landmarks between originals and results."""

import numpy as np

from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import (
    DEGREES,
    EVERY_FACE,
    NUMBER,
    Figure,
    Metric,
    MetricInputs,
)

_FIGURES = {  # by field of `Comparison`
    "pose_l2": Figure("pose error, L2 (the paper's text)", NUMBER, 4),
    "pose_l1": Figure("pose error, L1 (its release's table)", NUMBER, 4),
    "yaw": Figure("yaw error", DEGREES),
    "pitch": Figure("pitch error", DEGREES),
    "roll": Figure("roll error", DEGREES),
    "mouth": Figure("mouth openness error", NUMBER, 3),
    "eyes": Figure("eye openness error", NUMBER, 3),
}


def mean_landmark_errors(results: FolderMeasurement) -> np.ndarray | None:
    """Returns the mean displacement of each landmark over the interocular distance.

    Args:
      results: measurements of the results.

    Returns:
      float32 [68]; None where no face is detected.
    """
    errors = np.stack([c.landmark_errors for c in results.comparisons.values()])
    found = np.isfinite(errors).all(1)
    return errors[found].mean(0) if found.any() else None


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """Means over the detected faces."""
    compared = inputs.results.comparisons.values()
    return {
        key: estimates.mean(np.array([getattr(c, key) for c in compared]))
        for key in _FIGURES
    }


METRIC = Metric(_FIGURES, _measure, EVERY_FACE)
