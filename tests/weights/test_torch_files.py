"""Files written by PyTorch 2.15 in both formats, and what must not be read."""

import io
import pickle
import subprocess
import sys
import types
import zipfile

import numpy as np
import pytest
from golden_values import FOLDER

from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict

FILES = ("zip.pt", "stream.pt")


@pytest.mark.parametrize("file", FILES)
def test_reads_what_pytorch_wrote(file):
    found = read_state_dict(FOLDER / file)
    np.testing.assert_array_equal(found["a"], np.arange(6.0).reshape(2, 3).T)
    np.testing.assert_array_equal(found["view"], [3.0, 4.0])
    assert found["n"] == 7
    assert found["n"].dtype == np.int64
    np.testing.assert_array_equal(found["h.weight"], np.ones((2, 2), np.float16))


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_file_is_named(file, share, tmp_path):
    content = (FOLDER / file).read_bytes()
    path = tmp_path / file
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(TorchFileError, match=str(path)):
        read_state_dict(path)


def test_nothing_in_a_file_is_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("made").touch, ())

    path = tmp_path / "evil.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", pickle.dumps({"a": Evil()}))
    with pytest.raises(TorchFileError, match="which is not weights"):
        read_state_dict(path)
    assert not (tmp_path / "made").exists()


def _torch_file(path, tensor: tuple, size: int = 6, extra: bytes = b"") -> None:
    """A zip of one tensor: offset, size and stride in a storage of six numbers."""
    offset, shape, stride = tensor

    class Storage:
        pass

    class Tensor:
        def __reduce__(self):
            return _rebuild_tensor_v2, (Storage(), offset, shape, stride)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            known = isinstance(value, Storage)
            return ("storage", FloatStorage, "0", "cpu", size) if known else None

    def _rebuild_tensor_v2():
        pass

    class FloatStorage:
        pass

    packed = io.BytesIO()
    for thing, module in (
        (_rebuild_tensor_v2, "torch._utils"),
        (FloatStorage, "torch"),
    ):
        thing.__module__, thing.__qualname__ = module, thing.__name__
        sys.modules.setdefault(module, types.ModuleType(module))
        setattr(sys.modules[module], thing.__name__, thing)
    Pickler(packed, 2).dump({"a": Tensor()})
    for module in ("torch._utils", "torch"):
        del sys.modules[module]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", packed.getvalue() + extra)
        archive.writestr("x/data/0", np.arange(6, dtype="<f4").tobytes())


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        ((0, (2, 3), (3, 1)), [[0, 1, 2], [3, 4, 5]]),
        ((1, (2, 2), (1, 2)), [[1, 3], [2, 4]]),
        ((0, (), ()), 0),
        ((0, (0, 3), (3, 1)), np.zeros((0, 3))),
        ((0, (2, 3), (-3, 1)), None),  # before the storage
        ((5, (6,), (-1,)), None),
        ((0, (-1, -6), (1, 1)), None),
        ((-1, (2,), (1,)), None),
        ((0, (2, 3), (4, 1)), None),  # behind it
        ((1, (6,), (1,)), None),
        ((0, (2**62, 4), (0, 0)), None),  # one number, very often
        ((0, (10_000,), (0,)), None),
        ((2**64, (1,), (1,)), None),
        ((0, (2.0,), (1,)), None),
        ((0, (2, 3), (1,)), None),
    ],
)
def test_no_tensor_reaches_outside_its_storage(tensor, expected, tmp_path):
    path = tmp_path / "a.pth"
    _torch_file(path, tensor)
    if expected is not None:
        np.testing.assert_array_equal(read_state_dict(path)["a"], expected)
        return
    with pytest.raises(TorchFileError, match=f"{path}: damaged"):
        read_state_dict(path)


@pytest.mark.parametrize("size", [-1, 7, 2**40, 2**70])
def test_a_storage_has_the_size_that_is_told(size, tmp_path):
    _torch_file(tmp_path / "a.pth", (0, (2,), (1,)), size)
    with pytest.raises(TorchFileError, match="damaged"):
        read_state_dict(tmp_path / "a.pth")


def _stream(storage: bytes) -> bytes:
    """A file of the older format whose content is a pickle."""
    parts = (0x1950A86A20F9469CFC6C, 1001, {})
    return b"".join(pickle.dumps(part, 2) for part in parts) + storage


@pytest.mark.parametrize(
    "content",
    [
        # A tuple in a tuple, 300,000 times, as a key: Python's hash of it overflows.
        b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s.",
        b"\x80\x02}r\xff\xff\xff\x7f.",  # a table of 2^31 entries
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x0f.",  # 2^60 bytes
        # 2^40 numbers in a storage
        b"\x80\x02(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpu"
        b"\x8a\x06\0\0\0\0\0\x01NtQ.",
        # The state of an array is set: its memory, where it may be unpickled.
        b"\x80\x02(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpu"
        b"K\x01NtQ(K\x01K\x04\x85ctorch\nFloatStorage\n\x89C\x04abcdtb.",
    ],
    ids=("nested tuples", "memo", "bytes", "storage", "state of an array"),
)
def test_no_pickle_makes_the_process_end_or_takes_its_memory(content, tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(_stream(content))
    code = (
        "import resource, sys; from anonygan_jax.weights import torch_files as t\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "try: t.read_state_dict(sys.argv[1])\n"
        "except t.TorchFileError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: ")


def test_a_packed_member_is_no_way_to_fill_the_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}))
        archive.writestr("x/data/0", bytes(10_000_000))
    with pytest.raises(TorchFileError, match="damaged"):
        read_state_dict(tmp_path / "a.pth")


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2]])
def test_other_things_than_weights_are_refused(content, tmp_path):
    path = tmp_path / "other.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(content))
    with pytest.raises(TorchFileError, match="something else"):
        read_state_dict(path)
    with pytest.raises(TorchFileError, match="no such file"):
        read_state_dict(tmp_path / "missing.pt")
