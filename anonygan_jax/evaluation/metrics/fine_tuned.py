"""A recogniser that is fitted to anonymised pictures of people whom the attacker knows.

A linear head on MobileFaceNet's embeddings: the means of originals and of results are
taken off, and the directions in which a person's pictures differ count less. Source:
within-class covariance normalisation (Hatch et al. 2006) with shrinkage, of which the
attacker takes what serves best among the known people. The head is fitted to half of
the people and tested on the others, then the other way round.
"""

import dataclasses

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.covariance import shrunk_covariance

from anonygan_jax.evaluation.collect.pair_lists import other_photos, person
from anonygan_jax.evaluation.metrics import beside
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import Values, far_text
from anonygan_jax.evaluation.metrics.metric import Metric, MetricInputs
from anonygan_jax.evaluation.metrics.reidentification import Embeddings
from anonygan_jax.recognition.table import MOBILEFACENET, RECOGNISERS

FAR = 1e-2  # of results and originals of different people in the tested half
MIN_PEOPLE = 20  # of a half
SHRINKAGES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the covariance, to a sphere's
KEY = f"fine_tuned_tar_at_far_{far_text(FAR)}_{MOBILEFACENET}"


@dataclasses.dataclass(frozen=True)
class Head:
    """A linear map after a recogniser.

    Attributes:
      result_mean, original_mean: float [D].
      matrix: float [D, D].
    """

    result_mean: np.ndarray
    original_mean: np.ndarray
    matrix: np.ndarray

    def results(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns float [N, D] of length 1, of embeddings of results."""
        return _unit((embeddings - self.result_mean) @ self.matrix)

    def originals(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns float [N, D] of length 1, of embeddings of originals."""
        return _unit((embeddings - self.original_mean) @ self.matrix)


def fit(
    originals: np.ndarray, results: np.ndarray, people: np.ndarray, shrinkage: float
) -> Head:
    """Returns the head for pairs of an original and its result.

    Args:
      originals, results: float [N, D].
      people: [N], whom both show.
      shrinkage: 0 to 1; with 1 the means alone are taken off.
    """
    original_mean, result_mean = originals.mean(0), results.mean(0)
    both = np.concatenate([originals - original_mean, results - result_mean])
    _, number = np.unique(np.tile(people, 2), return_inverse=True)
    sums = np.zeros((number.max() + 1, both.shape[1]))
    np.add.at(sums, number, both)
    within = both - (sums / np.bincount(number)[:, None])[number]
    covariance = shrunk_covariance(within.T @ within / len(within), shrinkage)
    return Head(
        result_mean, original_mean, np.linalg.cholesky(np.linalg.inv(covariance))
    )


def accepted(originals: Embeddings, results: Embeddings) -> Values:
    """Returns 1 where a result is accepted as another photo of its person, or 0.

    Args:
      originals: of all known photos, by name.
      results: by the names of their originals.
    """
    results = {name: made for name, made in results.items() if name in originals}
    values: Values = {}
    if not other_photos(sorted(originals)):
        return values
    for tested, fitted in _halves(results):
        if min(len(tested), len(fitted)) < MIN_PEOPLE:
            return {}
        head = best_head(originals, _of(results, fitted))
        strangers = {n: e for n, e in originals.items() if person(n) not in fitted}
        values |= _accepted(head, strangers, _of(results, tested))
    return values


def best_head(originals: Embeddings, results: Embeddings) -> Head:
    """Returns the head whose shrinkage serves best, by halves of the people.

    Args:
      originals, results: as of `accepted`; of `results` are the people.
    """
    shares = []
    for shrinkage in SHRINKAGES:
        values: Values = {}
        for tested, fitted in _halves(results):
            head = _fitted(originals, _of(results, fitted), shrinkage)
            probes = _of(results, tested)
            values |= _accepted(head, _of(originals, tested), probes)
        shares.append(float(np.mean(list(values.values()))) if values else 0.0)
    return _fitted(originals, results, SHRINKAGES[int(np.argmax(shares))])


def _halves(results: Embeddings) -> list[tuple[set[str], set[str]]]:
    """People to test on and to fit to, then the other way round."""
    people = sorted({person(name) for name in results})
    first, second = set(people[0::2]), set(people[1::2])
    return [(first, second), (second, first)]


def _of(embeddings: Embeddings, people: set[str]) -> Embeddings:
    """The photos of some people."""
    return {name: e for name, e in embeddings.items() if person(name) in people}


def _fitted(originals: Embeddings, results: Embeddings, shrinkage: float) -> Head:
    """The head for results and their originals."""
    names = sorted(results)
    return fit(
        np.stack([originals[name] for name in names]),
        np.stack([results[name] for name in names]),
        np.array([person(name) for name in names]),
        shrinkage,
    )


def _accepted(head: Head, originals: Embeddings, results: Embeddings) -> Values:
    """As `accepted`, of people whom the head has not seen."""
    gallery, probes = sorted(originals), sorted(results)
    known = head.originals(np.stack([originals[name] for name in gallery]))
    made = head.results(np.stack([results[name] for name in probes]))
    apart = cdist(made, known)
    owners = np.array([person(name) for name in gallery])
    mine = np.array([person(name) for name in probes])[:, None] == owners
    limit = np.quantile(apart[~mine], FAR)
    other, place = other_photos(gallery), {n: i for i, n in enumerate(gallery)}
    return {
        (name, other[name]): float(apart[row, place[other[name]]] < limit)
        for row, name in enumerate(probes)
        if name in other
    }


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """Of the results and of the floor, each with a head of its own."""
    if MOBILEFACENET not in inputs.results.embeddings:
        return {}
    originals = inputs.gallery[MOBILEFACENET].embeddings
    return beside.measure(
        inputs, MOBILEFACENET, KEY, lambda made: accepted(originals, made)
    )


METRIC = Metric(
    beside.figures(
        KEY,
        f"{RECOGNISERS[MOBILEFACENET].title} fitted to results of other people: TAR at "
        f"FAR {FAR:.0%}",
    ),
    _measure,
)
