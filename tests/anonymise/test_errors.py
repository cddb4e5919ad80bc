"""What fails leaves no face, and is told."""

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
    assert try_face(lambda: 3) == (3, None)
    assert try_file(tmp_path / "a", lambda: 4) == 4


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
        lambda work: try_file(tmp_path / "a", work),
    ):
        with pytest.raises(KeyboardInterrupt):
            made(_raises(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(PhotoError("a.jpg: too large"), "too large"), (OSError("full"), "OSError: full")],
)
def test_a_file_fails_for_the_reason(error, reason):
    failed = try_file(pathlib.Path("a.jpg"), _raises(error))
    assert (failed.kind, failed.reason, failed.result) == ("failed", reason, None)
