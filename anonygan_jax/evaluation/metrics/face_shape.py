"""Pose and expression: differences of landmarks between originals and results."""

import numpy as np

from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.metrics import estimates, metric

_FIGURES = {  # by field of `Comparison`
    "pose_l2": metric.Figure("pose error, L2 (the paper's text)", metric.NUMBER, 4),
    "pose_l1": metric.Figure("pose error, L1 (its release's table)", metric.NUMBER, 4),
    "yaw": metric.Figure("yaw error", metric.DEGREES),
    "pitch": metric.Figure("pitch error", metric.DEGREES),
    "roll": metric.Figure("roll error", metric.DEGREES),
    "pose_angle": metric.Figure(
        "head pose error, norm of yaw, pitch and roll in radians", metric.NUMBER, 3
    ),
    "mouth": metric.Figure("mouth openness error", metric.NUMBER, 3),
    "eyes": metric.Figure("eye openness error", metric.NUMBER, 3),
}


def mean_landmark_errors(results: FolderMeasurement) -> np.ndarray | None:
    """Returns the mean displacement of each landmark over the interocular distance.

    Returns:
      float32 [68]; None where no face is detected.
    """
    errors = np.stack([c.landmark_errors for c in results.comparisons.values()])
    found = np.isfinite(errors).all(1)
    return errors[found].mean(0) if found.any() else None


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """Means over the detected faces."""
    compared = inputs.results.comparisons.values()
    return {
        key: estimates.mean(np.array([getattr(c, key) for c in compared]))
        for key in _FIGURES
    }


METRIC = metric.Metric(_FIGURES, _measure, metric.EVERY_FACE)
