"""State dicts that do not fit are refused by name."""

import numpy as np
import pytest
from golden_values import state_dict

from anonygan_jax.weights.anonygan import discriminator_variables, generator_variables

NETWORK = "anonygan_discriminator_appearance"


def test_missing_unknown_and_misshapen_names_are_all_reported():
    weights = dict(state_dict(NETWORK))
    del weights["conv2.0.bias"]
    weights["extra.weight"] = np.zeros(3)
    weights["down3.0.weight"] = weights["down3.0.weight"][:, :5]
    with pytest.raises(ValueError, match=r"missing conv2\.0\.bias") as error:
        discriminator_variables(weights)
    assert "unknown extra.weight" in str(error.value)
    assert "down3.0.weight of shape (256, 5, 4, 4)" in str(error.value)


def test_wrong_rank_is_reported():
    weights = dict(state_dict(NETWORK))
    weights["down3.0.weight"] = weights["down3.0.weight"].ravel()
    with pytest.raises(ValueError, match=r"down3\.0\.weight"):
        discriminator_variables(weights)


def test_counters_are_ignored():
    weights = dict(state_dict(NETWORK)) | {"down2.1.num_batches_tracked": np.array(3)}
    variables = discriminator_variables(weights)
    np.testing.assert_array_equal(
        variables["params"]["conv0"]["kernel"][1, 2, 3],
        weights["down1.0.weight"][:, 3, 1, 2],
    )


def test_an_empty_state_dict_says_what_it_lacks():
    with pytest.raises(ValueError, match=r"missing stream2_down\.1\.weight"):
        generator_variables({})
