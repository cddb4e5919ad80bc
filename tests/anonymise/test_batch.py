"""Many photos by several processes: the same results, reasons, and going on."""

import numpy as np
import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import Task, anonymise_photos
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.checkpointing import CheckpointError


def test_results_do_not_depend_on_the_number_of_workers(photo_folder, tmp_path):
    photos = sorted(photo_folder.rglob("*.*"))
    kinds = {}
    for number in (1, 2):
        tasks = []
        for path in photos:
            name = "_".join(path.relative_to(photo_folder).parts)
            output = tmp_path / str(number) / f"{name}.png"
            tasks.append(Task(path, name, output))
        outcomes = anonymise_photos(tasks, Settings(), number)
        kinds[number] = [
            (outcome.photo, outcome.kind, outcome.reason, outcome.faces)
            for outcome in outcomes
        ]
    assert kinds[1] == kinds[2]
    assert {kind for _, kind, _, _ in kinds[1]} == {"replaced", "no face", "failed"}
    written = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert written == sorted(path.name for path in (tmp_path / "2").iterdir())
    for name in written:
        one, two = (np.asarray(Image.open(tmp_path / n / name)) for n in "12")
        np.testing.assert_array_equal(one, two)


def test_methods_are_named_with_their_checkpoints(photo_folder):
    settings = Settings.of_method("anonygan:runs/a:b")
    assert (settings.method, settings.checkpoint) == ("anonygan", "runs/a:b")
    assert Settings.of_method("warp").checkpoint == "embedded"
    with pytest.raises(ValueError, match="unknown method"):
        list(anonymise_photos([], Settings.of_method("swirl")))
    with pytest.raises(CheckpointError, match=r"no config\.json there"):
        list(anonymise_photos([], Settings.of_method(f"anonygan:{photo_folder}")))
