"""Distances between the features of originals and of results: FID, KID, and others."""

import numpy as np

from anonygan_jax.evaluation.collect.features import (
    SAMPLE_SEED,
    Features,
    NotEnoughError,
)
from anonygan_jax.evaluation.metrics import estimates, frechet, metric

# By network: the title of its Frechet distance, its short title, digits.
SPACES = {
    "fid_clean": ("FID (clean-fid)", "clean-fid", 2),
    "fid_pytorch": ("FID (pytorch-fid)", "pytorch-fid", 2),
    "efficientnet": (
        "Frechet distance, EfficientNet-Lite0 on faces (not an FID)",
        "EfficientNet-Lite0 on faces",
        2,
    ),
    "dlib": (
        "Frechet distance, dlib's descriptor (not an FID)",
        "dlib's descriptor",
        4,
    ),
}


def _figures() -> dict[str, metric.Figure]:
    """Four figures of each network."""
    figures = {}
    for key, (title, short, digits) in SPACES.items():
        figures[f"frechet_{key}"] = metric.Figure(title, metric.NUMBER, digits)
        kid = "KID" if key.startswith("fid") else "KID's estimator"
        figures[f"kid_{key}"] = metric.Figure(f"{kid}, {short}", metric.NUMBER, 4)
        figures[f"precision_{key}"] = metric.Figure(f"precision, {short}")
        figures[f"recall_{key}"] = metric.Figure(f"recall, {short}")
    return figures


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """The figures of each network that ran."""
    measures: dict[str, estimates.Estimate] = {}
    for name, made in inputs.results.features.items():
        real = inputs.originals.features[name]
        measures |= {f"{key}_{name}": e for key, e in compare(real, made).items()}
    return measures


def compare(real: Features, made: Features) -> dict[str, estimates.Estimate]:
    """Returns the figures of two sets: frechet, kid, and precision, recall of samples.

    The interval of the Frechet distance is estimated on the samples. KID has none of
    two equally large samples of at most 1,000; precision and recall need four members.

    Raises:
      NotEnoughError: a set has fewer than two members.
    """
    if real.statistics is None or made.statistics is None:
        raise NotEnoughError("0 pictures, at least 2 are needed")
    coupling = frechet.Coupling(real.statistics, made.statistics)
    error = coupling.error(real.kept, made.kept)
    kid, kid_error = frechet.kid_and_error(real.kept, made.kept, SAMPLE_SEED)
    count = len(made.kept)
    found = {
        "frechet": estimates.around(coupling.distance, error, made.count),
        "kid": estimates.around(kid, kid_error or np.nan, count),
    }
    if min(len(real.kept), count) > frechet.NEIGHBOUR:
        precision, recall = frechet.precision_recall(real.kept, made.kept)
        found["precision"] = estimates.share(_hits(precision, count))
        found["recall"] = estimates.share(_hits(recall, len(real.kept)))
    return found


def _hits(part: float, count: int) -> np.ndarray:
    """A share as bool [count]."""
    return np.arange(count) < round(part * count)


def _remarks(inputs: metric.MetricInputs) -> list[str]:
    """A warning for each network with more features than there are photos."""
    texts = []
    for name, made in inputs.results.features.items():
        real = inputs.originals.features[name]
        dimension = real.kept.shape[1]
        if min(real.count, made.count) <= dimension:
            texts.append(
                f"{made.count} photos for {dimension} features ({name}): the "
                "covariance is singular and the Frechet distance too large; compare "
                "only with distances of as many photos"
            )
    return texts


METRIC = metric.Metric(_figures(), _measure, remarks=_remarks)
