"""Linkage: whether the released pictures alone tell which of them show one person."""

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from anonygan_jax.evaluation.collect.pair_lists import other_photos, person
from anonygan_jax.evaluation.metrics import beside, estimates, metric
from anonygan_jax.evaluation.metrics.reidentification import Embeddings
from anonygan_jax.recognition.table import RECOGNISERS

MAX_RESULTS = 2_000  # of more, those of the first people by name


def clusters(results: Embeddings) -> dict[str, int]:
    """Returns the number of each result's cluster, by name.

    The attacker knows how many people there are, and no more: average linkage.
    """
    names = sorted(results)[:MAX_RESULTS]
    people = {person(name) for name in names}
    vectors = np.stack([results[name] for name in names])
    model = AgglomerativeClustering(len(people), linkage="average")
    return dict(zip(names, model.fit_predict(vectors).tolist(), strict=True))


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """The index of the results, of the floor, and their difference."""
    measures: dict[str, estimates.Estimate] = {}
    for name, made in inputs.results.embeddings.items():
        floor = inputs.floor.embeddings.get(name) if inputs.floor else None
        names = sorted(made if floor is None else made.keys() & floor.keys())
        if not other_photos(names) or len({person(n) for n in names}) < 2:
            continue
        found = [clusters({n: made[n] for n in names})]
        if floor is not None:
            found.append(clusters({n: floor[n] for n in names}))
        key = f"linkage_ari_{name}"
        for end, signs in _PARTS[: 2 * len(found) - 1]:
            measures[key + end] = _index(found, signs)
    return measures


_PARTS = (("", (1, 0)), (beside.FLOOR, (0, 1)), (beside.OVER_FLOOR, (1, -1)))


def _index(found: list[dict[str, int]], signs: tuple[int, int]) -> estimates.Estimate:
    """A sum of adjusted Rand indices with signs, its error by leaving out people."""
    names = list(found[0])
    people = np.array([person(name) for name in names])
    numbers = [np.array([one[name] for name in names]) for one in found]

    def total(kept: np.ndarray) -> float:
        parts = zip(signs, numbers, strict=False)
        return sum(
            s * adjusted_rand_score(people[kept], n[kept]) for s, n in parts if s
        )

    return estimates.jackknife(total, people)


METRIC = metric.Metric(
    {
        key: figure
        for name, known in RECOGNISERS.items()
        for key, figure in beside.figures(
            f"linkage_ari_{name}",
            f"{known.title}: linkage of results, adjusted Rand index",
            metric.NUMBER,
            3,
        ).items()
    },
    _measure,
)
