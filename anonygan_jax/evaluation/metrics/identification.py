"""Rank-1 identification of results, among originals and among results."""

from anonygan_jax.evaluation.metrics import estimates, metric
from anonygan_jax.evaluation.metrics.reidentification import rank_one
from anonygan_jax.recognition.table import RECOGNISERS


def _measure_rank_one(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """Results as probes, originals as gallery."""
    known = inputs.originals.embeddings
    return {
        f"rank_one_{name}": estimates.share(rank_one(known[name], made))
        for name, made in inputs.results.embeddings.items()
    }


def _measure_parrot(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """Results as probes and as gallery: the parrot attack (Newton et al. 2005)."""
    return {
        f"parrot_{name}": estimates.share(rank_one(made, made))
        for name, made in inputs.results.embeddings.items()
    }


RANK_ONE = metric.Metric(
    {
        f"rank_one_{key}": metric.Figure(
            f"{known.title}: rank-1 identification among originals"
        )
        for key, known in RECOGNISERS.items()
    },
    _measure_rank_one,
    frozenset((metric.ORIGINALS, metric.RESULTS)),
)
PARROT = metric.Metric(
    {
        f"parrot_{key}": metric.Figure(
            f"{known.title}: rank-1 identification among results (parrot attack)"
        )
        for key, known in RECOGNISERS.items()
    },
    _measure_parrot,
)
