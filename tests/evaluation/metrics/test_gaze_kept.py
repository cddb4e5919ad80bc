"""Which faces count in the figure of the gaze."""

import numpy as np
import pytest

from anonygan_jax.evaluation.collect.comparison import Comparison
from anonygan_jax.evaluation.collect.inputs import GAZE
from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.metrics import gaze_kept
from anonygan_jax.evaluation.metrics.metric import MetricInputs

SHUT = np.full(2, np.nan)


def _compared(detected: bool) -> Comparison:
    """A comparison of which only one field matters."""
    errors = np.zeros(68, np.float32)
    return Comparison(detected, None, 0.9, 0, 0, errors, 0, 0, 0, 0, 0, 0, 1)


def _measured(before: dict, after: dict, detected: dict) -> dict:
    """The figures for gazes by name."""
    results = FolderMeasurement(
        comparisons={name: _compared(known) for name, known in detected.items()},
        angles={GAZE: {name: np.array(angles) for name, angles in after.items()}},
    )
    originals = FolderMeasurement(
        angles={GAZE: {name: np.array(angles) for name, angles in before.items()}}
    )
    return gaze_kept.METRIC.measure(MetricInputs(originals, results, {}))


def test_faces_count_that_are_detected_with_open_eyes_before_and_after():
    before = {
        "a": [0.1, 0],
        "b": [0, 0.2],
        "shut": SHUT,
        "shuts": [0, 0],
        "gone": [0, 0],
    }
    after = {
        "a": [0.4, 0],
        "b": [0, 0.1],
        "shut": [0, 0],
        "shuts": SHUT,
        "gone": [1, 1],
    }
    detected = dict.fromkeys(before, True) | {"gone": False}
    found = _measured(before, after, detected)["gaze_angle"]
    assert found.count == 2
    assert found.value == pytest.approx((0.3 + 0.1) / 2)
    assert found.low < found.value < found.high


def test_without_the_network_there_is_no_figure():
    results = FolderMeasurement(comparisons={"a": _compared(True)})
    inputs = MetricInputs(FolderMeasurement(), results, {})
    assert gaze_kept.METRIC.measure(inputs) == {}
