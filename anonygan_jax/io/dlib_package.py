"""dlib and its model files, where they are installed."""

import importlib.util
import pathlib
from typing import Any

_INSTALL = "install it with: pip install 'anonygan_jax[landmarks]'"


class LandmarksUnavailable(ImportError):
    """dlib or its model files are not installed; the message says what to do."""


def model_file(name: str) -> pathlib.Path:
    """Returns the path of a model file of the `face_recognition_models` package.

    The package is located, not imported: its `__init__` needs `pkg_resources`, which
    current setuptools no longer has.

    Raises:
      LandmarksUnavailable: the package or the file in it is missing.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = pathlib.Path(folder) / "models" / name
        if path.exists():
            return path
    raise LandmarksUnavailable(f"dlib's model file {name} is missing; {_INSTALL}")


def import_dlib() -> Any:
    """Returns the dlib module, or raises LandmarksUnavailable."""
    try:
        import dlib
    except ImportError as error:
        raise LandmarksUnavailable(f"dlib is missing; {_INSTALL}") from error
    return dlib
