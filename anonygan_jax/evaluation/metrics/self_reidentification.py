"""Self re-identification: the share of results matched with their own original."""

import numpy as np

from anonygan_jax.evaluation.metrics import estimates, metric
from anonygan_jax.recognition.table import DLIB, RECOGNISERS
from anonygan_jax.recognition.thresholds import SAME_PERSON


def _figures() -> dict[str, metric.Figure]:
    """One figure of dlib, and of each recogniser that classifies."""
    figures = {}
    for key in _chosen():
        how = f"distance < {SAME_PERSON}" if key == DLIB else "same class"
        text = f"{RECOGNISERS[key].title}: self re-identification ({how})"
        figures[f"reid_self_{key}"] = metric.Figure(text, digits=2)
    return figures


def _chosen() -> list[str]:
    """Recognisers of published figures."""
    known = RECOGNISERS.items()
    return [name for name, how in known if name == DLIB or how.classifies]


def _measure(inputs: metric.MetricInputs) -> dict[str, estimates.Estimate]:
    """By class where the recogniser classifies, else by distance."""
    return {
        f"reid_self_{name}": estimates.share(np.array(_hits(inputs, name), bool))
        for name in _chosen()
        if name in inputs.results.embeddings
    }


def _hits(inputs: metric.MetricInputs, name: str) -> list[bool]:
    """Whether each result is matched with its own original, by one recogniser."""
    known, made = (x.embeddings[name] for x in (inputs.originals, inputs.results))
    both = [photo for photo in made if photo in known]
    if name in inputs.results.classes:
        before, after = (x.classes[name] for x in (inputs.originals, inputs.results))
        return [before[photo] == after[photo] for photo in both]
    distances = [np.linalg.norm(known[photo] - made[photo]) for photo in both]
    return [bool(distance < SAME_PERSON) for distance in distances]


METRIC = metric.Metric(_figures(), _measure, metric.EVERY_FACE)
