"""Guards around folders that TFDS reads: damaged ones, and names of classes in them."""

import contextlib
import json
import pathlib
from collections.abc import Iterator

from google.protobuf import json_format, message

FEATURES_FILE = "features.json"
_CLASS_KEYS = {"pythonClassName", "python_class_name", "type"}
_OWN_CLASSES = "tensorflow_datasets.core.features."
_DAMAGES = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, MemoryError, OverflowError),  # of ArrayRecord
    *(json_format.Error, message.Error),
)


class RecordsError(ValueError):
    """A folder without prepared faces; the message has its name."""


@contextlib.contextmanager
def named_errors(directory: pathlib.Path) -> Iterator[None]:
    """Context in which errors about damaged files get the folder's name.

    Raises:
      RecordsError: in place of what TFDS raises.
    """
    try:
        yield
    except _DAMAGES as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise RecordsError(f"{directory}: damaged ({text})") from error


def check_features(directory: pathlib.Path) -> None:
    """Accepts folders whose features are TFDS's own; it imports others by their name.

    Raises:
      ValueError: another class is named, or the file is damaged.
      OSError: it cannot be read.
    """
    left = [json.loads((directory / FEATURES_FILE).read_text())]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left.extend(value)
        if isinstance(value, dict):
            left.extend(value.values())
            for key in _CLASS_KEYS & value.keys():
                if not str(value[key]).startswith(_OWN_CLASSES):
                    raise ValueError(f"{FEATURES_FILE} names the class {value[key]}")
