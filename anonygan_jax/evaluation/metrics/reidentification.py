"""Distances of a recogniser's embeddings, and what follows from them.

Sets of embeddings are dicts from names of photos to float32 [D]. Distances are
Euclidean.
"""

import dataclasses

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from anonygan_jax.evaluation.collect.pair_lists import PairList, person

Embeddings = dict[str, np.ndarray]
MAX_PHOTOS = 3_000  # of strangers; they give 4.5 million pairs


def pair_distances(
    pairs: PairList, first: Embeddings, second: Embeddings
) -> np.ndarray:
    """Returns the distances of the two photos of each pair, float64 [P]."""
    a = np.stack([first[name] for name in pairs.first]).astype(np.float64)
    b = np.stack([second[name] for name in pairs.second]).astype(np.float64)
    return np.linalg.norm(a - b, axis=-1)


def verified(pairs: PairList, distances: np.ndarray) -> np.ndarray:
    """Returns whether each pair is classified correctly, bool [P].

    The threshold of a fold is the one with the best accuracy on the other folds.

    Source: LFW's protocol (Huang et al. 2007), view 2.
    """
    correct = np.zeros(len(pairs), bool)
    for fold in np.unique(pairs.fold):
        tested = pairs.fold == fold
        others = ~tested if not tested.all() else tested
        limit = _best_threshold(distances[others], pairs.same[others])
        correct[tested] = (distances[tested] <= limit) == pairs.same[tested]
    return correct


def _best_threshold(distances: np.ndarray, same: np.ndarray) -> float:
    """The threshold with the best accuracy."""
    order = np.argsort(distances, kind="stable")
    gained = np.cumsum(np.where(same[order], 1, -1))
    best = int(np.argmax(gained))
    after = order[min(best + 1, len(order) - 1)]
    return float((distances[order[best]] + distances[after]) / 2)


def stranger_distances(embeddings: Embeddings) -> np.ndarray:
    """Returns the distances of all pairs of photos of different people, float32 [P].

    Of more than 3,000 photos, some that are evenly spaced by name are used.
    """
    names = sorted(embeddings)
    names = names[:: -(-len(names) // MAX_PHOTOS) or 1]
    people = np.array([person(name) for name in names])
    apart = [np.zeros(0, np.float32)]
    if names:
        vectors = np.stack([embeddings[name] for name in names]).astype(np.float64)
    for i in range(len(names) - 1):
        different = people[i + 1 :] != people[i]
        row = np.linalg.norm(vectors[i + 1 :][different] - vectors[i], axis=-1)
        apart.append(row.astype(np.float32))
    return np.concatenate(apart)


@dataclasses.dataclass(frozen=True)
class Curve:
    """A ROC and its area.

    Attributes:
      false_accepts, true_accepts: float [N], rates at each threshold.
      area: 0 to 1.
    """

    false_accepts: np.ndarray
    true_accepts: np.ndarray
    area: float


def roc(same: np.ndarray, distances: np.ndarray) -> Curve | None:
    """Returns the ROC of pairs; None where there is only one kind of pairs."""
    if same.all() or not same.any():
        return None
    false, true, _ = roc_curve(same, -distances)
    return Curve(false, true, float(roc_auc_score(same, -distances)))
