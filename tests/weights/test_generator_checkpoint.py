"""Generators written for another machine than the one of their training."""

import json
import shutil

import chex

from anonygan_jax.weights import generator_checkpoint


def test_exports_have_no_options_for_accelerators(tiny_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    config = json.loads((run / "config.json").read_text())
    config["model"] |= {"use_space_to_depth": True, "convolution": "matmul"}
    (run / "config.json").write_text(json.dumps(config))
    _, expected, _ = generator_checkpoint.load_generator(run)
    generator_checkpoint.export_generator(run, tmp_path / "export")
    config, variables, step = generator_checkpoint.load_generator(tmp_path / "export")
    assert config["model"]["use_space_to_depth"] is False
    assert config["model"]["convolution"] == "lax"
    assert step == 4
    chex.assert_trees_all_close(variables, expected, rtol=1e-3, atol=1e-6)
