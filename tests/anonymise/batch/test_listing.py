"""Files of an input."""

import pytest

from anonygan_jax.anonymise.batch.file_results import FAILED
from anonygan_jax.anonymise.batch.listing import RunError, list_files


def test_an_input_without_text_is_told_as_given(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    files, others = list_files((str(tmp_path / "a.png"), ""), lambda _: False)
    assert [file.name for file in files] == ["a.png"]
    ((name, result),) = others
    assert (name, result.kind) == ("''", FAILED)
    assert result.line().startswith("error: '': no such file or folder")
    with pytest.raises(RunError, match="; '': no such file or folder"):
        list_files(("",), lambda _: False)
