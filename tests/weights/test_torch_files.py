"""Files written by PyTorch 2.15 in both formats, and what must not be read."""

import pickle
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


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2]])
def test_other_things_than_weights_are_refused(content, tmp_path):
    path = tmp_path / "other.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps(content))
    with pytest.raises(TorchFileError, match="something else"):
        read_state_dict(path)
    with pytest.raises(TorchFileError, match="no such file"):
        read_state_dict(tmp_path / "missing.pt")
