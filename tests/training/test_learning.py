"""The embedded config learns; some minutes, so run nightly."""

import json

import numpy as np
import pytest

from anonygan_jax.training.loop import train_and_evaluate
from configs import composites


@pytest.mark.slow
def test_reconstruction_falls_on_the_embedded_faces(tmp_path):
    config = composites.get_config().unlock()
    config.optimiser.num_steps = 150
    config.optimiser.decay_from_step = 100
    config.run.log_every_x_steps = 1
    config.run.checkpoint_every_x_steps = 150
    train_and_evaluate(config.lock(), tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["reconstruction"] for line in lines]
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:5])
