"""What fails leaves no face and no older result, and is told."""

import pathlib

import pytest

from anonygan_jax.anonymise.batch.file_results import try_file
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.methods.method import MethodError


def _raises(error: Exception):
    def work():
        raise error

    return work


def test_what_succeeds_is_given_back(tmp_path):
    (tmp_path / "result").write_text("older")
    assert try_face(lambda: 3) == (3, None)
    assert try_file(tmp_path / "a", tmp_path / "result", lambda: 4) == 4
    assert (tmp_path / "result").exists()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MethodError("face 0: mirrored"), "face 0: mirrored"),
        (KeyError("x"), "KeyError: 'x'"),
        (MemoryError(), "MemoryError: "),
    ],
)
def test_a_face_is_pixelated_for_the_reason(error, reason):
    assert try_face(_raises(error)) == (None, reason)


def test_ctrl_c_is_no_failure(tmp_path):
    for made in (
        lambda work: try_face(work),
        lambda work: try_file(tmp_path / "a", tmp_path / "b", work),
    ):
        with pytest.raises(KeyboardInterrupt):
            made(_raises(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(PhotoError("a.jpg: too large"), "too large"), (OSError("full"), "OSError: full")],
)
def test_a_failed_file_leaves_no_older_result(error, reason, tmp_path):
    result = tmp_path / "result.png"
    result.write_text("of an earlier run")
    failed = try_file(pathlib.Path("a.jpg"), result, _raises(error))
    assert (failed.kind, failed.reason) == ("failed", reason)
    assert not result.exists()


def test_an_older_result_that_cannot_be_deleted_is_reported(tmp_path):
    (tmp_path / "result").mkdir()  # no file
    failed = try_file(
        tmp_path / "a", tmp_path / "result", _raises(PhotoError("broken"))
    )
    assert failed.reason.startswith("broken; an earlier result is left, too: ")
    below = tmp_path / "file" / "result"
    below.parent.write_text("no folder")
    failed = try_file(tmp_path / "a", below, _raises(PhotoError("broken")))
    assert failed.reason == "broken"
