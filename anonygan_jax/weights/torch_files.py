"""Weights from PyTorch's files, without PyTorch.

Both formats of `torch.save` are read: the zip archive (since 1.6) and the older stream
of pickles. No code in a file is executed: the unpickler accepts only tensors, their
storages and ordered dicts. No size in a file is believed: nothing is read or reserved
beyond the file's own bytes.
"""

import collections
import io
import math
import mmap
import pathlib
import pickle
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_STORAGES: dict[str, np.dtype] = {
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_MAGIC = 0x1950A86A20F9469CFC6C  # first number of the older format
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
_MOST_TUPLES = 30_000  # four a tensor; Python's stack holds more, one in another
_DAMAGES = (  # what unpickling, unzipping and slicing raise
    *(EOFError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError),
    *(OSError, RuntimeError, MemoryError, struct.error, zlib.error),
    *(pickle.UnpicklingError, zipfile.BadZipFile),
)


class TorchFileError(ValueError):
    """A file without readable weights; the message has its path and the reason."""


class _Storage(NamedTuple):
    """The numbers of tensors. No array: an unpickler can change arrays."""

    array: np.ndarray


class _Tensor(NamedTuple):
    """A part of a storage."""

    array: np.ndarray


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
    except (IsADirectoryError, PermissionError) as error:
        raise TorchFileError(f"{path}: cannot be read ({error.strerror})") from error
    except pickle.UnpicklingError as error:
        raise TorchFileError(f"{path}: {error}") from error
    except _DAMAGES as error:
        raise TorchFileError(f"{path}: damaged, or not a file of PyTorch") from error
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, _Tensor)
        for name, value in content.items()
    ):
        raise TorchFileError(f"{path}: holds something else than tensors by name")
    return {name: value.array for name, value in content.items()}


class _Unpickler(pickle.Unpickler):
    """Unpickler that accepts tensors alone."""

    def __init__(self, file: Any, storage: Callable[[tuple], _Storage]) -> None:
        super().__init__(file)
        self._storage = storage

    def persistent_load(self, pid: tuple) -> _Storage:
        return self._storage(pid)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module == "torch" and name in _STORAGES:
            return name
        raise pickle.UnpicklingError(f"holds {module}.{name}, which is not weights")


def _unpickled(file: Any, storage: Callable[[tuple], _Storage]) -> Any:
    """The next pickle of a file, after a look at its sizes."""
    start, num_tuples = file.tell(), 0
    for opcode, argument, place in pickletools.genops(file):
        num_tuples += opcode.name.startswith("TUPLE")
        if opcode.name in _PUTS and int(argument or 0) > (place or 0):
            raise ValueError("a table of more entries than the file has bytes")
    if num_tuples > _MOST_TUPLES:
        raise ValueError(f"{num_tuples} tuples, at most {_MOST_TUPLES} are read")
    file.seek(start)
    return _Unpickler(file, storage).load()


def _rebuild(
    storage: _Storage, offset: int, size: tuple, stride: tuple, *_: object
) -> _Tensor:
    """A tensor as a view of its storage."""
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor without storage")
    array = storage.array
    numbers = (offset, *size, *stride)
    if not all(type(n) is int and 0 <= n <= array.size for n in numbers):
        raise ValueError("a negative size, or one larger than the storage")
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if math.prod(size) > array.size or (0 not in size and last >= array.size):
        raise ValueError("a tensor reaches outside its storage")
    bytes_apart = tuple(s * array.itemsize for s in stride)
    return _Tensor(
        np.lib.stride_tricks.as_strided(
            array[offset:], tuple(size), bytes_apart, writeable=False
        )
    )


def _read_zip(path: pathlib.Path) -> Any:
    """The newer format: data.pkl and a file a storage."""
    storages: dict[str, _Storage] = {}
    with zipfile.ZipFile(path) as archive:
        if sum(i.file_size for i in archive.infolist()) > path.stat().st_size:
            raise ValueError("members larger than the file; PyTorch packs nothing")
        names = [n for n in archive.namelist() if n.endswith("/data.pkl")]
        if not names:
            raise ValueError("no data.pkl")
        folder = names[0].removesuffix("data.pkl")

        def storage(pid: tuple) -> _Storage:
            _, kind, key, _, size = pid
            if size < 0:  # NumPy would take all
                raise ValueError("a negative size")
            if key not in storages:
                content = archive.read(f"{folder}data/{key}")
                storages[key] = _Storage(
                    np.frombuffer(content, _STORAGES[kind], count=size)
                )
            return storages[key]

        return _unpickled(io.BytesIO(archive.read(names[0])), storage)


def _read_stream(path: pathlib.Path) -> Any:
    """The older format: five pickles, then the storages one after another."""
    storages: dict[str, _Storage] = {}
    left = path.stat().st_size

    def storage(pid: tuple) -> _Storage:
        nonlocal left
        _, kind, key, _, size, view = pid
        if view is not None:
            raise ValueError("a view of a storage")
        if key not in storages:
            left -= size * _STORAGES[kind].itemsize
            if size < 0 or left < 0:
                raise ValueError("storages larger than the file")
            storages[key] = _Storage(np.zeros(size, _STORAGES[kind]))
        return storages[key]

    with (
        path.open("rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as file,
    ):
        if _unpickled(file, storage) != _MAGIC:
            raise ValueError("another magic number")
        for _ in range(2):  # protocol, the writer's system
            _unpickled(file, storage)
        content = _unpickled(file, storage)
        for key in _unpickled(file, storage):
            array = storages[key].array
            if int.from_bytes(file.read(8), "little") != array.size:
                raise ValueError("a storage of another size")
            array[:] = np.frombuffer(file.read(array.nbytes), array.dtype)
    return content
