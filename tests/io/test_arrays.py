"""Arrays of .npz files, damaged ones, and what they must not do."""

import zipfile

import numpy as np
import pytest

from anonygan_jax.io.arrays import ArraysError, read_arrays


def _with_header(path, header: bytes) -> None:
    """A file whose array has some header."""
    with zipfile.ZipFile(path, "w") as archive:
        text = header + b"\n"
        start = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little")
        archive.writestr("a.npy", start + text + bytes(24))


def test_named_arrays_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3), b=np.ones(2))
    found = read_arrays(tmp_path / "a.npz", "a")
    assert list(found) == ["a"]
    np.testing.assert_array_equal(found["a"], [0, 1, 2])
    with pytest.raises(ArraysError, match=r"a\.npz: no readable arrays .*c"):
        read_arrays(tmp_path / "a.npz", "a", "c")
    with pytest.raises(ArraysError, match=r"b\.npz: .*No such file"):
        read_arrays(tmp_path / "b.npz", "a")


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-3,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (4,)}",
        b"[" * 5000,
        b"__import__('os').mkdir('made')",
        b"",
    ],
)
def test_damaged_headers_are_named(header, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _with_header(tmp_path / "a.npz", header)
    with pytest.raises(ArraysError, match=r"a\.npz: no readable arrays") as error:
        read_arrays(tmp_path / "a.npz", "a")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "made").exists()


def test_pickles_are_not_loaded(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.array([{"an": "object"}], object))
    with pytest.raises(ArraysError, match="no readable arrays"):
        read_arrays(tmp_path / "a.npz", "a")
