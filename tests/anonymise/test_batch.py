"""Many photos by several processes: results, reasons, and going on."""

import numpy as np
import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import MethodSpec, anonymise_photos
from anonygan_jax.checkpointing import CheckpointError


def test_results_carry_names_failures_have_reasons_and_results_are_kept(
    photo_folder, embedded, tmp_path
):
    person = embedded[0].identity
    portrait = sorted((photo_folder / person).iterdir())[0]
    photos = {
        f"{person}/a": portrait,
        "meadow": photo_folder / "meadow.png",
        "broken": photo_folder / "broken.jpg",
        "group": photo_folder / "group.jpg",
    }
    (tmp_path / "group.png").write_bytes(b"made before")
    failed = anonymise_photos(photos, MethodSpec("warp"), tmp_path, 1)
    assert set(failed) == {"meadow", "broken"}
    assert failed["meadow"] == "no face found in 80x60 pixels"
    assert failed["broken"].startswith("cannot be decoded")
    assert (tmp_path / "group.png").read_bytes() == b"made before"
    result = np.asarray(Image.open(tmp_path / person / "a.png")).astype(int)
    before = np.asarray(Image.open(portrait)).astype(int)
    assert result.shape == before.shape
    assert np.abs(result - before).max() > 30
    assert not list(tmp_path.rglob("*.partial*"))


def test_methods_are_named_with_their_checkpoints(photo_folder, tmp_path):
    assert MethodSpec.parse("anonygan:runs/a:b") == MethodSpec("anonygan", "runs/a:b")
    assert MethodSpec.parse("warp").checkpoint == "embedded"
    with pytest.raises(ValueError, match="unknown method"):
        anonymise_photos({}, MethodSpec("swirl"), tmp_path, 1)
    with pytest.raises(CheckpointError, match=r"no config\.json there"):
        anonymise_photos({}, MethodSpec("anonygan", str(photo_folder)), tmp_path, 1)
