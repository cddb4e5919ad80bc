"""Weights from PyTorch's files, without PyTorch.

Both formats of `torch.save` are read: the zip archive (since 1.6) and the older stream
of pickles. No code in a file is executed: the unpickler accepts only tensors, their
storages and ordered dicts.
"""

import collections
import io
import pathlib
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

_STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_MAGIC = 0x1950A86A20F9469CFC6C  # first number of the older format


class TorchFileError(ValueError):
    """A file without readable weights; the message has its path and the reason."""


def read_state_dict(path: str | pathlib.Path) -> dict[str, np.ndarray]:
    """Returns the tensors of a file written by `torch.save(module.state_dict())`.

    Raises:
      TorchFileError: the file is missing, damaged, not of PyTorch, or has other content
        than tensors by name.
    """
    path = pathlib.Path(path)
    try:
        read = _read_zip if zipfile.is_zipfile(path) else _read_stream
        content = read(path)
    except FileNotFoundError as error:
        raise TorchFileError(f"{path}: no such file") from error
    except (pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise TorchFileError(f"{path}: {error}") from error
    except (EOFError, KeyError, ValueError, TypeError, IndexError) as error:
        raise TorchFileError(f"{path}: damaged, or not a file of PyTorch") from error
    if not isinstance(content, dict) or not all(
        isinstance(value, np.ndarray) for value in content.values()
    ):
        raise TorchFileError(f"{path}: holds something else than tensors by name")
    return dict(content)


class _Unpickler(pickle.Unpickler):
    """Unpickler that accepts tensors alone."""

    def __init__(self, file: Any, storage: Callable[[tuple], np.ndarray]) -> None:
        super().__init__(file)
        self._storage = storage

    def persistent_load(self, pid: tuple) -> np.ndarray:
        return self._storage(pid)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"holds {module}.{name}, which is not weights")


def _rebuild(
    storage: np.ndarray, offset: int, size: tuple, stride: tuple, *_: object
) -> np.ndarray:
    """A tensor as a view of its storage."""
    bytes_apart = tuple(s * storage.itemsize for s in stride)
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 not in size and not (offset >= 0 and last < storage.size):
        raise ValueError("a tensor reaches outside its storage")
    return np.lib.stride_tricks.as_strided(
        storage[offset:], tuple(size), bytes_apart, writeable=False
    )


def _read_zip(path: pathlib.Path) -> Any:
    """The newer format: data.pkl and a file a storage."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.endswith("/data.pkl")]
        if not names:
            raise ValueError("no data.pkl")
        folder = names[0].removesuffix("data.pkl")

        def storage(pid: tuple) -> np.ndarray:
            _, dtype, key, _, size = pid
            content = archive.read(f"{folder}data/{key}")
            return np.frombuffer(content, dtype, size)

        return _Unpickler(io.BytesIO(archive.read(names[0])), storage).load()


def _read_stream(path: pathlib.Path) -> Any:
    """The older format: five pickles, then the storages one after another."""
    storages: dict[str, np.ndarray] = {}

    def storage(pid: tuple) -> np.ndarray:
        _, dtype, key, _, size, view = pid
        if view is not None:
            raise ValueError("a view of a storage")
        return storages.setdefault(key, np.zeros(size, dtype))

    with path.open("rb") as file:
        if _Unpickler(file, storage).load() != _MAGIC:
            raise ValueError("another magic number")
        for _ in range(2):  # protocol, the writer's system
            _Unpickler(file, storage).load()
        content = _Unpickler(file, storage).load()
        for key in _Unpickler(file, storage).load():
            size = int.from_bytes(file.read(8), "little")
            array = storages[key]
            filled = file.read(size * array.itemsize)
            array[:] = np.frombuffer(filled, array.dtype)
    return content
