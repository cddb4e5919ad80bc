"""Figures of results beside the floor: what a black patch in the same mask gives.

Hair, outline and background tell something about a person, whatever is done to the
face. So a share says little by itself. Its difference from the floor's, over the same
probes, says what the new face adds.
"""

from collections.abc import Callable

import numpy as np

from anonygan_jax.evaluation.collect.pair_lists import person
from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import Values
from anonygan_jax.evaluation.metrics.metric import PERCENT, Figure, MetricInputs
from anonygan_jax.evaluation.metrics.reidentification import Embeddings

FLOOR, OVER_FLOOR = "_floor", "_over_floor"  # ends of the keys


def figures(
    key: str, title: str, form: str = PERCENT, digits: int = 1
) -> dict[str, Figure]:
    """Returns a figure, the floor's, and their difference, by key."""
    return {
        key: Figure(title, form, digits),
        key + FLOOR: Figure(f"{title}: black patch", form, digits),
        key + OVER_FLOOR: Figure(f"{title}: more than black patch", form, digits),
    }


def measure(
    inputs: MetricInputs,
    name: str,
    key: str,
    values_of: Callable[[Embeddings], Values],
) -> dict[str, Estimate]:
    """Returns the estimates of `figures`; those of the floor where it was measured.

    Args:
      inputs: of the metric.
      name: of the recogniser.
      key: of the figure.
      values_of: gives a value to each probe, from the embeddings of the results.
    """
    made, patched = values_of(inputs.results.embeddings[name]), floor_of(inputs, name)
    if patched is None:
        measures = {key: estimate(made)}
    else:
        floor = values_of(patched)
        both = sorted(made.keys() & floor.keys())
        measures = {key: estimate({probe: made[probe] for probe in both})}
        measures[key + FLOOR] = estimate({probe: floor[probe] for probe in both})
        measures[key + OVER_FLOOR] = estimates.paired_difference(
            np.array([made[probe] for probe in both]),
            np.array([floor[probe] for probe in both]),
            np.array([person(probe[0]) for probe in both]),
        )
    return {key: found for key, found in measures.items() if found.count}


def floor_of(inputs: MetricInputs, name: str) -> Embeddings | None:
    """Returns a recogniser's embeddings of the black patches, if they were measured."""
    return None if inputs.floor is None else inputs.floor.embeddings.get(name)


def estimate(values: Values) -> Estimate:
    """Returns the mean of some values; with Wilson's interval where all are 0 or 1."""
    array = np.array(list(values.values()), float)
    if np.isin(array, (0, 1)).all():
        return estimates.share(array.astype(bool))
    return estimates.mean(array)
