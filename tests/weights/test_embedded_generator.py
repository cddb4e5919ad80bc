"""The generator in the package is the one that its card describes."""

import hashlib
import re

import numpy as np

from anonygan_jax.weights import checkpoint_folder, export, generator_checkpoint


def test_the_card_has_step_and_checksum_of_the_weights():
    folder = checkpoint_folder.checkpoint_path("embedded")
    _, variables, step = generator_checkpoint.load_generator(folder)
    card = (folder / "README.md").read_text()
    assert export.checksum(variables) in card
    assert re.search(rf"\b{step:,} steps of 8 pairs \({8 * step:,} images seen\)", card)


def test_the_checksum_is_that_of_names_and_numbers():
    variables = {
        "params": {"b": np.array([2.5], np.float32)},
        "batch_stats": {"a": np.array([[1.0, 3.0]], np.float32)},
    }
    expected = hashlib.sha256(b"['batch_stats']['a']")
    expected.update(np.array([1, 3], "<f4").tobytes())
    expected.update(b"['params']['b']")
    expected.update(np.array([2.5], "<f4").tobytes())
    assert export.checksum(variables) == expected.hexdigest()
    variables["params"]["b"][0] = 2.25
    assert export.checksum(variables) != expected.hexdigest()
