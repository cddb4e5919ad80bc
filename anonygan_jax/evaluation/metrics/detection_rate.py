"""Detection rate: the share of the originals' faces that is detected in the results."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates, metric

DLIB_KEY, MTCNN_KEY = "detected_dlib", "detected_mtcnn"


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """Detection by dlib, and by MTCNN where it ran, of faces that it had detected."""
    before, after = inputs.originals.observations, inputs.results.observations
    hits = np.array([face.detected for face in after.values()])
    measures = {DLIB_KEY: estimates.share(hits)}
    if any(face.detected_by_mtcnn is not None for face in after.values()):
        asked = [name for name in after if before[name].detected_by_mtcnn]
        again = [bool(after[name].detected_by_mtcnn) for name in asked]
        measures[MTCNN_KEY] = estimates.share(np.array(again, bool))
    return measures


METRIC = metric.Metric(
    {
        DLIB_KEY: metric.Figure("detection rate, dlib (photo upsampled once)"),
        MTCNN_KEY: metric.Figure("detection rate, MTCNN"),
    },
    _measure,
    metric.EVERY_FACE,
)
