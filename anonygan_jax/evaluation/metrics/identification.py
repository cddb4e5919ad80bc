"""Rank-1 identification of results, among originals and among results."""

import functools

import numpy as np

from anonygan_jax.evaluation.metrics import beside, metric
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import Gallery, Values
from anonygan_jax.evaluation.metrics.reidentification import Embeddings
from anonygan_jax.recognition.table import RECOGNISERS

CHANCE, OWN_CHANCE = "rank_one_chance", "rank_one_own_chance"


def _measure_rank_one(inputs: metric.MetricInputs) -> dict[str, Estimate]:
    """Results as probes; as gallery all originals but the probe's own."""
    return _in_gallery(inputs, "rank_one", CHANCE, with_own=False)


def _measure_with_own(inputs: metric.MetricInputs) -> dict[str, Estimate]:
    """The same with the probe's own original in the gallery."""
    return _in_gallery(inputs, "rank_one_own", OWN_CHANCE, with_own=True)


def _in_gallery(
    inputs: metric.MetricInputs, key: str, chance_key: str, with_own: bool
) -> dict[str, Estimate]:
    """Rank 1 of each recogniser, and by chance, which is nearly the same for all."""
    measures: dict[str, Estimate] = {}
    for name, made in inputs.results.embeddings.items():
        gallery = inputs.gallery[name]
        hits = functools.partial(gallery.rank_one, with_own=with_own)
        measures |= beside.measure(inputs, name, f"{key}_{name}", hits)
        chance = np.array(list(gallery.chance(made, with_own).values()))
        if len(chance):
            mean = float(chance.mean())
            measures[chance_key] = Estimate(mean, np.nan, np.nan, len(chance))
    return measures


def _measure_parrot(inputs: metric.MetricInputs) -> dict[str, Estimate]:
    """Results as probes and as gallery: the parrot attack (Newton et al. 2005)."""

    def hits(made: Embeddings) -> Values:
        return Gallery(made).rank_one(made, with_own=False)

    measures: dict[str, Estimate] = {}
    for name in inputs.results.embeddings:
        measures |= beside.measure(inputs, name, f"parrot_{name}", hits)
    return measures


def _figures(key: str, text: str) -> dict[str, metric.Figure]:
    """The figures of each recogniser."""
    return {
        found: figure
        for name, known in RECOGNISERS.items()
        for found, figure in beside.figures(
            f"{key}_{name}", f"{known.title}: rank-1 identification {text}"
        ).items()
    }


RANK_ONE = metric.Metric(
    _figures("rank_one", "among all originals but its own")
    | {CHANCE: metric.Figure("rank-1 identification by chance", digits=2)},
    _measure_rank_one,
    frozenset((metric.ORIGINALS, metric.RESULTS)),
)
WITH_OWN = metric.Metric(
    _figures("rank_one_own", "among all originals")
    | {OWN_CHANCE: metric.Figure("the same with its own original", digits=2)},
    _measure_with_own,
)
PARROT = metric.Metric(
    _figures("parrot", "among results (parrot attack)"), _measure_parrot
)
