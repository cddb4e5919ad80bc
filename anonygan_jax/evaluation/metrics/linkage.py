"""Linkage: the share of pairs of one person's results that are recognised as such."""

from anonygan_jax.evaluation.metrics import estimates, reidentification
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import Figure, Metric, MetricInputs
from anonygan_jax.evaluation.metrics.reidentification import FAR, RECOGNISERS


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """True accept rates of pairs of two results."""
    measures: dict[str, Estimate] = {}
    if inputs.pairs is None:
        return measures
    for name, made in inputs.results.embeddings.items():
        pairs = inputs.pairs.among(made.keys(), made.keys())
        if len(pairs):
            distances = reidentification.pair_distances(pairs, made, made)
            hits = distances < reidentification.threshold_at_far(made, FAR)
            measures[f"linkage_tar_{name}"] = estimates.share(hits[pairs.same])
    return measures


METRIC = Metric(
    {
        f"linkage_tar_{key}": Figure(
            f"{title}: linkage of two results, TAR at FAR {FAR}"
        )
        for key, title in RECOGNISERS.items()
    },
    _measure,
)
