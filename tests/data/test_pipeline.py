"""Batches from memory and through tf.data are the same."""

import subprocess
import sys

import jax
import numpy as np
import pytest

from anonygan_jax.data import crops
from anonygan_jax.data.pairs import PairConfig
from anonygan_jax.data.pipeline import Batches, DataConfig

PAIRS = PairConfig(0.75, "same_identity", "other_identity", 2)


def _batches(loader: str) -> Batches:
    return Batches(DataConfig("embedded", (44, 36), 5, loader, 3), PAIRS)


def test_loaders_give_the_same_batches_from_any_step():
    memory = list(_batches("memory").iterate(0, 4))
    through_tf = list(_batches("tf_data").iterate(2, 4))
    jax.tree.map(np.testing.assert_array_equal, memory[2:], through_tf)
    assert memory[0].source.shape == (5, 44, 36, 3)


def test_points_follow_the_picture(embedded):
    batches = _batches("memory")
    pairs = batches.sampler.batch(0)
    face = embedded[pairs.source[0]]
    batch = batches.batch(0)
    back = crops.resize_transform((44, 36), (220, 180))
    points = crops.transform_points(back, batch.source_points_xy[0])
    np.testing.assert_allclose(points, face.points_xy, atol=1e-3)
    expected = face.image.reshape(44, 5, 36, 5, 3).mean((1, 3))  # area reduction
    assert np.abs(batch.source[0] - expected).max() <= 1


def test_unknown_loaders_are_refused():
    with pytest.raises(ValueError, match="'disk'"):
        DataConfig("embedded", (44, 36), 5, "disk", 3)


def test_training_imports_no_tensorflow():
    code = "import sys, anonygan_jax.train; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
