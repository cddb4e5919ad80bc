"""Distances, thresholds and ranks of a recogniser's embeddings.

Sets of embeddings are dicts from names of photos to float32 [D]. Distances are
Euclidean.
"""

import dataclasses

import numpy as np
from sklearn.metrics import pairwise_distances_argmin, roc_auc_score, roc_curve

from anonygan_jax.evaluation.collect.pair_lists import PairList

Embeddings = dict[str, np.ndarray]
FAR = 1e-3  # false accept rate of the thresholds
MAX_PHOTOS = 3_000  # for a threshold; they give 4.5 million pairs


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


def threshold_at_far(originals: Embeddings, far: float) -> float:
    """Returns the distance below which a share of the different-identity pairs is.

    All pairs of photos of different people count. Of more than 3,000 photos, some that
    are evenly spaced by name are used.

    Returns:
      A distance; NaN where there is one person alone.
    """
    names = sorted(originals)
    names = names[:: -(-len(names) // MAX_PHOTOS) or 1]
    people = np.array([person(name) for name in names])
    vectors = np.stack([originals[name] for name in names]).astype(np.float64)
    apart = []
    for i in range(len(names) - 1):
        different = people[i + 1 :] != people[i]
        row = np.linalg.norm(vectors[i + 1 :][different] - vectors[i], axis=-1)
        apart.append(row.astype(np.float32))
    every = np.concatenate(apart) if apart else np.zeros(0)
    return float(np.quantile(every, far)) if len(every) else float("nan")


def person(name: str) -> str:
    """Returns the identity of a photo: the name of its folder, else its own name."""
    return name.rpartition("/")[0] or name


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


def rank_one(gallery: Embeddings, probes: Embeddings) -> np.ndarray:
    """Returns whether the nearest photo of the gallery shows the probe's person.

    Args:
      gallery: embeddings; the first photo of each person by name is used.
      probes: embeddings; the photos that are not used in the gallery, of its people.

    Returns:
      bool [N], for each probe by name.
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
    correct = [people[i] == person(n) for i, n in zip(nearest, tested, strict=True)]
    return np.array(correct)
