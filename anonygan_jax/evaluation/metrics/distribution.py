"""Distances between the features of originals and of results: FID, KID, and others."""

from anonygan_jax.evaluation.metrics import features
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.frechet import NEIGHBOUR
from anonygan_jax.evaluation.metrics.metric import NUMBER, Figure, Metric, MetricInputs

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


def _figures() -> dict[str, Figure]:
    """Four figures of each network."""
    figures = {}
    for key, (title, short, digits) in SPACES.items():
        figures[f"frechet_{key}"] = Figure(title, NUMBER, digits)
        kid = "KID" if key.startswith("fid") else "KID's estimator"
        figures[f"kid_{key}"] = Figure(f"{kid}, {short}", NUMBER, 4)
        figures[f"precision_{key}"] = Figure(f"precision, {short}")
        figures[f"recall_{key}"] = Figure(f"recall, {short}")
    return figures


def _measure(inputs: MetricInputs) -> dict[str, Estimate]:
    """The figures of each network that ran."""
    measures = {}
    for name, made in inputs.results.features.items():
        real = inputs.originals.features[name]
        measures[f"frechet_{name}"] = features.distance(real, made)
        measures[f"kid_{name}"] = features.kid(real, made)
        if min(len(real.kept), len(made.kept)) > NEIGHBOUR:
            precision, recall = features.precision_and_recall(real, made)
            measures |= {f"precision_{name}": precision, f"recall_{name}": recall}
    return measures


def _remarks(inputs: MetricInputs) -> list[str]:
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


METRIC = Metric(_figures(), _measure, remarks=_remarks)
