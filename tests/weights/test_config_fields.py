"""Configs of older versions: renamed fields, removed fields, missing fields."""

import copy
import json
import re

import pytest

from anonygan_jax.models.config import model_config
from anonygan_jax.weights.checkpoint_folder import (
    CheckpointError,
    checkpoint_path,
    read_config,
)
from anonygan_jax.weights.config_fields import with_current_fields

EFFECTS = {  # removed field -> a value that had an effect
    "augmentation.colour_jitter": 0.1,
    "augmentation.crop_jitter": 0.1,
    "losses.adversarial": "hinge",
    "losses.diff_augment": ["colour"],
    "losses.r1": 1.0,
    "model.batch_norm_groups": 2,
    "model.use_remat": True,
    "model.use_spectral_norm": True,
    "optimiser.num_accumulated": 2,
}


@pytest.fixture
def older() -> dict:
    """The config of the package's generator, which an older version wrote."""
    return json.loads((checkpoint_path("embedded") / "config.json").read_text())


def test_removed_fields_without_effect_are_dropped_and_renamed_ones_renamed(older):
    before = copy.deepcopy(older)
    config = with_current_fields(older)
    assert older == before
    for name in EFFECTS:
        section, field = name.split(".")
        assert field in older[section]
        assert field not in config[section]
    assert config["losses"]["low_frequency_l1"] == older["losses"]["closeness"] == 10
    assert model_config(config).uses_warped_condition
    assert config["augmentation"] == {"flip_share": 0.0}
    assert config["data"] == older["data"]
    assert with_current_fields(config) == config


@pytest.mark.parametrize("name", EFFECTS)
def test_removed_fields_with_an_effect_are_refused(name, older, tmp_path):
    section, field = name.split(".")
    older[section][field] = EFFECTS[name]
    message = re.escape(f"config.{name} is {EFFECTS[name]!r}, which this version")
    with pytest.raises(ValueError, match=message):
        with_current_fields(older)
    (tmp_path / "config.json").write_text(json.dumps(older))
    with pytest.raises(CheckpointError, match=f"config.json: {message}"):
        read_config(tmp_path)


def test_a_config_without_newer_sections_and_fields_is_read(older):
    names = ("num_landmarks", "use_landmark_attention", "width", "num_blocks")
    names += ("num_nodes", "dropout_rate", "heatmap_grid", "discriminator_width")
    oldest = {"model": {name: older["model"][name] for name in names}}
    config = with_current_fields(oldest)
    assert config == oldest
    assert not model_config(config).uses_warped_condition


def test_ciagans_weight_of_the_adversarial_loss_is_no_removed_field():
    config = {"system": "ciagan", "losses": {"adversarial": 1.0, "margin": 3.0}}
    assert with_current_fields(config) == config
