"""All metrics, in the order of the report. A new metric is one more line here."""

from anonygan_jax.evaluation.metrics import (
    background,
    detection_rate,
    distribution,
    emotion_kept,
    face_shape,
    fine_tuned,
    gaze_kept,
    identification,
    linkage,
    self_reidentification,
    verification,
)
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import Figure, Metric, MetricInputs

METRICS: tuple[Metric, ...] = (
    distribution.METRIC,
    detection_rate.METRIC,
    verification.ACCURACY,
    self_reidentification.CLASSES,
    self_reidentification.METRIC,
    verification.METRIC,
    verification.AREA,
    identification.RANK_ONE,
    identification.WITH_OWN,
    identification.PARROT,
    linkage.METRIC,
    fine_tuned.METRIC,
    face_shape.METRIC,
    gaze_kept.METRIC,
    emotion_kept.METRIC,
    background.METRIC,
)

FIGURES: dict[str, Figure] = {
    key: figure for metric in METRICS for key, figure in metric.figures.items()
}


def measure(inputs: MetricInputs, scope: str) -> dict[str, Estimate]:
    """Returns the estimates of all metrics of a scope, by key of their figures."""
    measures: dict[str, Estimate] = {}
    for metric in METRICS:
        if scope in metric.scopes:
            measures |= metric.measure(inputs)
    return measures


def remarks(inputs: MetricInputs, scope: str) -> list[str]:
    """Returns the remarks of all metrics of a scope."""
    chosen = (metric for metric in METRICS if scope in metric.scopes)
    return [text for metric in chosen for text in metric.remarks(inputs)]
