"""CIAGAN's state dicts that do not fit are refused by name; others are ported."""

import numpy as np
import pytest
from click.testing import CliRunner
from golden_values import state_dict

from anonygan_jax.cli import port
from anonygan_jax.methods.ciagan import CiaganMethod
from anonygan_jax.models.config import model_config
from anonygan_jax.weights import ciagan, generator_checkpoint

NETWORK = "ciagan_siamese"


def test_wrong_names_and_shapes_are_reported():
    weights = dict(state_dict(NETWORK))
    del weights["linear1.bias"]
    weights["extra.weight"] = np.zeros(3)
    weights["layer3.1.conv2.weight"] = weights["layer3.1.conv2.weight"][:, :7]
    with pytest.raises(ValueError, match=r"missing linear1\.bias") as error:
        ciagan.siamese_variables(weights)
    assert "unknown extra.weight" in str(error.value)
    assert "layer3.1.conv2.weight of shape (256, 7, 3, 3)" in str(error.value)


def test_vectors_of_the_spectral_norms_are_needed():
    weights = state_dict("ciagan_discriminator")  # without them
    with pytest.raises(ValueError, match=r"missing conv1\.conv_l\.conv2d\.weight_u"):
        ciagan.critic_variables(weights)
    with pytest.raises(ValueError, match=r"missing encode_one_hot\.0\.weight"):
        ciagan.generator_variables(weights)


@pytest.mark.parametrize(
    ("network", "system", "size"),
    [
        ("ciagan_generator", "ciagan", [128, 128]),
        ("anonygan_generator_noatt29", "anonygan", [220, 180]),
    ],
)
def test_official_weights_become_a_checkpoint(
    network, system, size, tmp_path, monkeypatch
):
    weights = dict(state_dict(network))
    for name in [name for name in weights if name.endswith("weight_orig")]:
        prefix, weight = name.removesuffix("orig"), weights[name]
        weights[f"{prefix}u"] = np.ones(len(weight)) / np.sqrt(len(weight))
        columns = weight[0].size
        weights[f"{prefix}v"] = np.ones(columns) / np.sqrt(columns)
    monkeypatch.setattr(port, "read_state_dict", lambda path: weights)
    arguments = [str(tmp_path / "w.pth"), "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(port.main, arguments)
    assert done.exit_code == 0, done.output
    config, variables, step = generator_checkpoint.load_generator(tmp_path / "out")
    assert (config["system"], config["data"]["image_size"], step) == (system, size, 0)
    assert model_config(config).generator().width in (32, 64)
    if system == "ciagan":
        kernel = variables["params"]["image"]["kernel"]
        official = weights["conv_end.0.weight"].transpose(2, 3, 1, 0)
        np.testing.assert_allclose(kernel, official, rtol=1e-3, atol=1e-6)  # float16
        assert CiaganMethod(str(tmp_path / "out")).num_classes == 1200


def test_files_that_cannot_be_ported_are_reported(tmp_path):
    (tmp_path / "w.pth").write_text("no weights")
    arguments = [str(tmp_path / "w.pth"), "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(port.main, arguments)
    assert done.exit_code == 1
    assert "w.pth" in done.output
    assert not (tmp_path / "out").exists()
