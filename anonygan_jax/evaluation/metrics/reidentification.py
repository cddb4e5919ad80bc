"""Does a recogniser still know who it is? Verification, identification, linkage.

Names of photos stand for embeddings; distances are Euclidean. Sets of embeddings are
dicts from names to float32 [D].
"""

import dataclasses

import numpy as np
from sklearn.metrics import pairwise_distances_argmin, roc_auc_score, roc_curve

from anonygan_jax.evaluation.collect.pair_lists import PairList

Embeddings = dict[str, np.ndarray]
FALSE_ACCEPTS = 1e-3
MAX_STRANGERS = 3_000  # photos whose pairs give a threshold: 4.5 million of them


def pair_distances(
    pairs: PairList, first: Embeddings, second: Embeddings
) -> np.ndarray:
    """Returns float64 [P] distances of the pairs' two photos, each from its own set.

    With originals first and results second this is LFW's protocol with the second
    photo anonymised; with results in both it is what links anonymised photos.
    """
    a = np.stack([first[name] for name in pairs.first]).astype(np.float64)
    b = np.stack([second[name] for name in pairs.second]).astype(np.float64)
    return np.linalg.norm(a - b, axis=-1)


def verified(pairs: PairList, distances: np.ndarray) -> np.ndarray:
    """Returns bool [P]: is a pair rightly taken for one person or for two?

    The threshold for a fold is the one that is best on the other folds.

    Source: LFW's protocol (Huang et al. 2007), view 2.
    """
    right = np.zeros(len(pairs), bool)
    for fold in np.unique(pairs.fold):
        tested = pairs.fold == fold
        others = ~tested if not tested.all() else tested
        limit = _best_threshold(distances[others], pairs.same[others])
        right[tested] = (distances[tested] <= limit) == pairs.same[tested]
    return right


def _best_threshold(distances: np.ndarray, same: np.ndarray) -> float:
    """The distance up to which taking pairs for one person is right most often."""
    order = np.argsort(distances, kind="stable")
    gained = np.cumsum(np.where(same[order], 1, -1))
    best = int(np.argmax(gained))
    after = order[min(best + 1, len(order) - 1)]
    return float((distances[order[best]] + distances[after]) / 2)


def strict_threshold(originals: Embeddings, false_accepts: float) -> float:
    """Returns the distance that only so many pairs of different people fall below.

    All pairs of photos of different people are taken, a person being a photo's folder;
    of more than 3,000 photos, evenly spaced ones by name. NaN where there are no two
    people.
    """
    names = sorted(originals)
    names = names[:: -(-len(names) // MAX_STRANGERS) or 1]
    people = np.array([person(name) for name in names])
    vectors = np.stack([originals[name] for name in names]).astype(np.float64)
    apart = []
    for i in range(len(names) - 1):
        strangers = people[i + 1 :] != people[i]
        row = np.linalg.norm(vectors[i + 1 :][strangers] - vectors[i], axis=-1)
        apart.append(row.astype(np.float32))
    every = np.concatenate(apart) if apart else np.zeros(0)
    return float(np.quantile(every, false_accepts)) if len(every) else float("nan")


def person(name: str) -> str:
    """Returns whose photo it is: the folder's name; without one, nobody else's."""
    return name.rpartition("/")[0] or name


@dataclasses.dataclass(frozen=True)
class Curve:
    """A ROC: shares of strangers and of same persons taken for one; its area."""

    false_accepts: np.ndarray
    true_accepts: np.ndarray
    area: float


def roc(same: np.ndarray, distances: np.ndarray) -> Curve | None:
    """Returns the ROC of pairs; None where only one kind is there."""
    if same.all() or not same.any():
        return None
    false, true, _ = roc_curve(same, -distances)
    return Curve(false, true, float(roc_auc_score(same, -distances)))


def rank_one(gallery: Embeddings, probes: Embeddings) -> np.ndarray:
    """Returns bool: for each probe with a person in the gallery, is that the nearest?

    The gallery has each person's first photo; probes are the other photos. With
    results as probes it is identification of anonymised photos, with results in the
    gallery too the parrot attack (Newton et al. 2005).
    """
    first: dict[str, str] = {}
    for name in sorted(gallery):
        first.setdefault(person(name), name)
    people = list(first)
    tested = [n for n in sorted(probes) if person(n) in first and first[person(n)] != n]
    if not tested:
        return np.zeros(0, bool)
    known = np.stack([gallery[first[p]] for p in people])
    nearest = pairwise_distances_argmin(np.stack([probes[n] for n in tested]), known)
    right = [people[i] == person(n) for i, n in zip(nearest, tested, strict=True)]
    return np.array(right)
