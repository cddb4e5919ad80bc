"""The classifier of emotions on composites whose donors smiled or did not."""

import importlib.util
import pathlib

import numpy as np
import pytest
from observations import observed

from anonygan_jax.composites.training_set import POSES
from anonygan_jax.evaluation.collect import emotion
from anonygan_jax.evaluation.collect.inputs import EMOTION, pictures_for


@pytest.fixture(scope="module")
def classify() -> emotion.EmotionClassifier:
    classifier = emotion.emotion_classifier()
    assert classifier is not None, "bash launch/test.sh installs fer"
    return classifier


@pytest.mark.slow  # Keras
def test_smiling_composites_are_happy_and_others_are_not(classify, embedded):
    """On the training set, where the share of the smile is known."""
    smiles = [smile for _, smile, _, _ in sorted(POSES)]  # of each composite in turn
    seen: dict[float, list[str]] = {0.0: [], 0.5: [], 1.0: []}
    for number, face in enumerate(embedded):
        points = face.points_xy
        box = np.concatenate([points.min(0), points.max(0)])
        original = observed(points_xy=points, box_xyxy=box)
        made = pictures_for(frozenset([EMOTION]), face.image, original, original)
        assert made[EMOTION].shape == (64, 64, 1)
        place = classify(made[EMOTION][None])["classes"][0]
        seen[smiles[number % len(smiles)]].append(emotion.EMOTIONS[place])
    happy = {smile: np.mean(np.array(told) == "happy") for smile, told in seen.items()}
    assert happy[1.0] > 0.75  # 0.79; of FER2013 it gets two thirds right
    assert happy[0.0] < 0.15


@pytest.mark.slow  # Keras
def test_pixels_go_in_as_the_package_scales_them(monkeypatch):
    import keras

    shown = []

    class Model:
        def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
            shown.append(batch)
            return np.eye(7)[[4] * len(batch)]

    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: Model())
    classify = emotion.EmotionClassifier(pathlib.Path("weights.hdf5"))
    grey = np.arange(256, dtype=np.uint8).repeat(16).reshape(1, 64, 64, 1)
    assert emotion.EMOTIONS[classify(grey)["classes"][0]] == "sad"
    np.testing.assert_allclose(shown[0], (grey / 255 - 0.5) * 2, atol=1e-6)


def test_without_its_package_there_is_no_classifier(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert emotion.emotion_classifier() is None
