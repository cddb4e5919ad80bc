"""Linkage: the share of pairs of one person's results that are recognised as such."""

from anonygan_jax.evaluation.metrics import estimates, metric, reidentification
from anonygan_jax.evaluation.metrics.reidentification import FAR
from anonygan_jax.recognition.table import RECOGNISERS


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """True accept rates of pairs of two results."""
    measures: dict[str, estimates.Estimate] = {}
    if inputs.pairs is None:
        return measures
    for name, made in inputs.results.embeddings.items():
        pairs = inputs.pairs.among(made.keys(), made.keys())
        if len(pairs):
            distances = reidentification.pair_distances(pairs, made, made)
            hits = distances < reidentification.threshold_at_far(made, FAR)
            measures[f"linkage_tar_{name}"] = estimates.share(hits[pairs.same])
    return measures


METRIC = metric.Metric(
    {
        f"linkage_tar_{key}": metric.Figure(
            f"{known.title}: linkage of two results, TAR at FAR {FAR}"
        )
        for key, known in RECOGNISERS.items()
    },
    _measure,
)
