"""What an export has, and what it must not name."""

import json

import chex
import jax
import numpy as np
import pytest

from anonygan_jax.weights.checkpoint_folder import CheckpointError
from anonygan_jax.weights.export import checksum, export_generator
from anonygan_jax.weights.generator_checkpoint import load_generator
from configs import celeba, ciagan

CHOICES = {  # fields of text that are one of some words, or a name of a measure
    "system",
    "losses.context_matching_from",
    "model.compute_dtype",
    "model.convolution",
    "model.discriminators",
    "data.loader",
    "pairs.supervised_condition",
    "pairs.other_condition",
    "run.best_by",
}


def _texts(config: dict) -> list[str]:
    """Names of the fields of text, or of lists of it."""
    found = ["system"]
    for section, fields in config.items():
        if isinstance(fields, dict):
            for name, value in fields.items():
                first = value[0] if isinstance(value, list | tuple) and value else value
                if isinstance(first, str):
                    found.append(f"{section}.{name}")
    return found


@pytest.mark.parametrize("config", [celeba, ciagan], ids=["anonygan", "ciagan"])
def test_no_field_of_an_export_names_a_path(config, tiny_run, tmp_path):
    fields = config.get_config().to_dict()
    paths = set(_texts(fields)) - CHOICES
    assert {"data.directory", "data.composites", "evaluation.methods"} < paths
    for name in paths:
        section, field = name.split(".")
        is_list = not isinstance(fields[section][field], str)
        fields[section][field] = ["warp:/machine/x"] if is_list else "/machine/x"
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoints").symlink_to(tiny_run / "checkpoints")
    (run / "config.json").write_text(json.dumps(fields))
    export_generator(run, tmp_path / "export")
    text = (tmp_path / "export" / "config.json").read_text()
    assert "machine" not in text
    exported = json.loads(text)
    model = json.loads(json.dumps(fields["model"]))
    if "use_space_to_depth" in model:  # an option for accelerators
        model["use_space_to_depth"] = False
    assert exported["model"] == model
    assert exported["data"]["image_size"] == list(fields["data"]["image_size"])


def test_an_export_has_the_weights_in_half_precision(tiny_run, tmp_path):
    _, variables, step = load_generator(tiny_run)
    export_generator(tiny_run, tmp_path / "export")
    _, exported, exported_step = load_generator(tmp_path / "export")
    assert exported_step == step
    halves = jax.tree.map(lambda x: x.astype(np.float16), variables["params"])
    chex.assert_trees_all_equal(
        exported["params"], jax.tree.map(lambda x: x.astype(np.float32), halves)
    )
    chex.assert_trees_all_equal(exported["batch_stats"], variables["batch_stats"])
    for file in (tmp_path / "export").rglob("*"):
        assert not file.is_file() or str(tmp_path).encode() not in file.read_bytes()
    export_generator(tmp_path / "export", tmp_path / "again")
    assert checksum(load_generator(tmp_path / "again")[1]) == checksum(exported)
    with pytest.raises(FileExistsError):
        export_generator(tiny_run, tmp_path / "export")


def test_an_export_has_no_options_for_accelerators(tiny_run, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "checkpoints").symlink_to(tiny_run / "checkpoints")
    config = json.loads((tiny_run / "config.json").read_text())
    config["model"] |= {"use_space_to_depth": True, "convolution": "matmul"}
    (run / "config.json").write_text(json.dumps(config))
    export_generator(run, tmp_path / "export")
    model = json.loads((tmp_path / "export" / "config.json").read_text())["model"]
    assert (model["use_space_to_depth"], model["convolution"]) == (False, "lax")


@pytest.mark.parametrize("removed", ["tree_metadata", "key_metadata"])
def test_an_item_described_by_other_json_is_refused(tiny_run, tmp_path, removed):
    export_generator(tiny_run, tmp_path / "export")
    (path,) = (tmp_path / "export").glob("checkpoints/*/generator/_METADATA")
    text = path.read_text().replace(f'"{removed}"', '"else"')
    path.write_text(text)
    with pytest.raises(CheckpointError, match="damaged"):
        load_generator(tmp_path / "export")
