"""Rank-1 identification of results, among originals and among results."""

from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.metric import (
    ORIGINALS,
    RESULTS,
    Figure,
    Metric,
    MetricInputs,
)
from anonygan_jax.evaluation.metrics.reidentification import RECOGNISERS, rank_one


def _measure_rank_one(inputs: MetricInputs) -> dict[str, Estimate]:
    """Results as probes, originals as gallery."""
    known = inputs.originals.embeddings
    return {
        f"rank_one_{name}": estimates.share(rank_one(known[name], made))
        for name, made in inputs.results.embeddings.items()
    }


def _measure_parrot(inputs: MetricInputs) -> dict[str, Estimate]:
    """Results as probes and as gallery: the parrot attack (Newton et al. 2005)."""
    return {
        f"parrot_{name}": estimates.share(rank_one(made, made))
        for name, made in inputs.results.embeddings.items()
    }


RANK_ONE = Metric(
    {
        f"rank_one_{key}": Figure(f"{title}: rank-1 identification among originals")
        for key, title in RECOGNISERS.items()
    },
    _measure_rank_one,
    frozenset((ORIGINALS, RESULTS)),
)
PARROT = Metric(
    {
        f"parrot_{key}": Figure(
            f"{title}: rank-1 identification among results (parrot attack)"
        )
        for key, title in RECOGNISERS.items()
    },
    _measure_parrot,
)
