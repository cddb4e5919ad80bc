"""Arrays of .npz files, without pickles."""

import pathlib
import struct
import tokenize
import zipfile
import zlib

import numpy as np

_DAMAGES = (  # what zipfile and numpy's parser of headers raise
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError),
    *(RuntimeError, MemoryError, OverflowError, SyntaxError, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)


class ArraysError(ValueError):
    """A file without readable arrays; the message has its path and the reason."""


def read_arrays(path: pathlib.Path, *names: str) -> dict[str, np.ndarray]:
    """Returns arrays of a .npz file: those that are named, or all if none is.

    Raises:
      ArraysError: the file is missing, damaged, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: np.asarray(file[name]) for name in names or file.files}
    except _DAMAGES as error:
        text = " ".join(str(error).split()) or type(error).__name__
        raise ArraysError(f"{path}: no readable arrays ({text})") from error
