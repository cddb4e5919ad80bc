"""CIAGAN's official PyTorch state dicts -> our variables, name by name.

A convolution with spectral norm has `weight_orig`, `weight_u` and `weight_v`. Flax
keeps u, from which each call does one power iteration, and the singular value that u
and v give.
"""

import jax.numpy as jnp
import numpy as np

from anonygan_jax.models.ciagan.generator import CiaganGenerator, Critic
from anonygan_jax.models.ciagan.siamese import STAGES, Siamese
from anonygan_jax.weights import anonygan
from anonygan_jax.weights.anonygan import StateDict, Table, conv, norm, shape_of

GENERATOR_BLOCKS = 5  # of the official networks
_DOWN = {"conv1": "conv_r1", "conv2": "conv_r2", "shortcut": "conv_l"}


def generator_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `CiaganGenerator` from official weights.

    Args:
      state_dict: official name -> float array in PyTorch's layout.

    Raises:
      ValueError: names are missing or unknown, or shapes do not fit; the message lists
        them.
    """
    table: Table = {}
    for i in range(GENERATOR_BLOCKS):
        table |= _block(state_dict, f"conv{i}", f"down{i}")
        table |= _instance_norm(f"in{i}_e", f"down_norm{i}")
        official = f"deconv{GENERATOR_BLOCKS - 1 - i}"
        table |= _block(state_dict, official, f"up{i}")
        for k in (1, 2):
            table |= _instance_norm(f"{official}.norm_r{k}", f"up{i}/norm{k}")
        table |= _instance_norm(f"in{GENERATOR_BLOCKS - 1 - i}_d", f"up_norm{i}")
    table |= _spectral(state_dict, "embed.0", "merge")
    table |= _instance_norm("embed.1", "merge_norm")
    for i in range(4):
        official, ours = f"res{i + 1}", f"residual{i}"
        for k in (1, 2):
            table |= _spectral(state_dict, f"{official}.conv{k}", f"{ours}/conv{k}")
            table |= _instance_norm(f"{official}.in{k}", f"{ours}/norm{k}")
    for i in range(7):
        table |= _dense(f"encode_one_hot.{2 * i}", f"identity{i}")
    for i in range(3):
        table |= _spectral(state_dict, f"encode_noise.{3 * i}", f"code{i}")
        table |= _instance_norm(f"encode_noise.{3 * i + 2}", f"code_norm{i}")
    table |= conv("conv_end.0", "image", bias=True)
    num_identities = shape_of(state_dict, "encode_one_hot.0.weight", 2)[1]
    width = shape_of(state_dict, "conv0.conv_r1.conv2d.bias", 1)[0]
    given, identity = jnp.zeros((1, 128, 128, 6)), jnp.zeros((1, num_identities))
    module = CiaganGenerator(width, GENERATOR_BLOCKS)
    return anonygan.convert(state_dict, table, module, given, identity, False)


def critic_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `Critic`.

    Args and Raises: as `generator_variables`.
    """
    blocks = {name.split(".")[0] for name in state_dict if name.startswith("conv")}
    table: Table = {}
    for i in range(len(blocks)):
        table |= _block(state_dict, f"conv{i + 1}", f"down{i}")
    for i in range(2):
        table |= _dense(f"dense{i}", f"dense{i}")
    width = shape_of(state_dict, "conv1.conv_r1.conv2d.bias", 1)[0]
    image = jnp.zeros((1, 4 * 2 ** len(blocks), 4 * 2 ** len(blocks), 3))
    module = Critic(width, len(blocks))
    return anonygan.convert(state_dict, table, module, image, image, False)


def siamese_variables(state_dict: StateDict) -> dict:
    """Returns {"params", "batch_stats"} for `Siamese`.

    Args and Raises: as `generator_variables`.
    """
    table = conv("conv1", "conv") | norm("bn1", "norm")
    for stage in range(STAGES):
        for block in range(2):
            official, ours = f"layer{stage + 1}.{block}", f"stage{stage}_block{block}"
            for k in (1, 2):
                table |= conv(f"{official}.conv{k}", f"{ours}/conv{k}")
                table |= norm(f"{official}.bn{k}", f"{ours}/norm{k}")
            if stage and not block:
                table |= conv(f"{official}.shortcut.0", f"{ours}/shortcut")
                table |= norm(f"{official}.shortcut.1", f"{ours}/shortcut_norm")
    for i in range(2):
        table |= _dense(f"linear{i + 1}", f"dense{i}")
    num_features = shape_of(state_dict, "linear2.weight", 2)[0]
    width = shape_of(state_dict, "conv1.weight", 4)[0]
    module = Siamese(num_features, width)
    return anonygan.convert(state_dict, table, module, jnp.zeros((1, 32, 32, 3)), False)


def _block(state_dict: StateDict, official: str, ours: str) -> Table:
    """The convolutions of a down or up block."""
    table: Table = {}
    for name, theirs in _DOWN.items():
        table |= _spectral(state_dict, f"{official}.{theirs}", f"{ours}/{name}")
    return table


def _spectral(state_dict: StateDict, official: str, ours: str) -> Table:
    """A convolution with spectral norm; u and v give its singular value."""
    layer = (*ours.split("/"), "Conv_0")
    stats = ("batch_stats", *ours.split("/"), "SpectralNorm_0", "Conv_0/kernel")
    official = f"{official}.conv2d"
    weight = np.asarray(state_dict.get(f"{official}.weight_orig", 0.0))
    u = np.asarray(state_dict.get(f"{official}.weight_u", 0.0))

    def sigma(v: np.ndarray) -> np.ndarray:
        return u @ weight.reshape(len(weight), -1) @ v

    return {
        f"{official}.weight_orig": (
            ("params", *layer, "kernel"),
            lambda w: w.transpose(2, 3, 1, 0),
        ),
        f"{official}.bias": (("params", *layer, "bias"), np.asarray),
        f"{official}.weight_u": ((*stats[:-1], f"{stats[-1]}/u"), lambda u: u[None]),
        f"{official}.weight_v": ((*stats[:-1], f"{stats[-1]}/sigma"), sigma),
    }


def _instance_norm(official: str, ours: str) -> Table:
    """An InstanceNorm with scale and bias."""
    path = ("params", *ours.split("/"))
    return {
        f"{official}.weight": ((*path, "scale"), np.asarray),
        f"{official}.bias": ((*path, "bias"), np.asarray),
    }


def _dense(official: str, ours: str) -> Table:
    """A linear layer."""
    return {
        f"{official}.weight": (("params", ours, "kernel"), np.transpose),
        f"{official}.bias": (("params", ours, "bias"), np.asarray),
    }
