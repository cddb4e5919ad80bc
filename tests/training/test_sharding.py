"""One step is the same on one device, on eight, and on two processes of four."""

import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from jax.sharding import PartitionSpec

from anonygan_jax.training import sharding

SCRIPT = ROOT / "tests" / "sharded_step.py"


def _start(
    output: pathlib.Path,
    num_devices: int,
    num_fsdp: int,
    *process: str,
    system: str = "anonygan",
    x64: bool = True,
) -> subprocess.Popen:
    environment = os.environ | {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={num_devices} "
        "--xla_backend_optimization_level=0",  # compiles faster
        "JAX_ENABLE_X64": str(int(x64)),
        "JAX_PLATFORMS": "cpu",
    }
    arguments = [system, str(output), str(num_fsdp), *process]
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _finished(process: subprocess.Popen) -> None:
    text, _ = process.communicate(timeout=900)
    assert process.returncode == 0, text.decode()[-3000:]


def _assert_alike(one: pathlib.Path, other: pathlib.Path) -> None:
    """All arrays of the states and losses, in double precision."""
    with np.load(one) as a, np.load(other) as b:
        assert set(a) == set(b)
        for name in set(a) - {"num_split", "num_devices"}:
            # Biases before BatchNorm have no gradient but rounding, which Adam makes
            # large; they, and the means that they move, may differ by 1e-9 at all.
            least = 1e-12 if "opt_state" in name else 1e-9
            scale = float(np.abs(a[name]).max(initial=0.0))
            np.testing.assert_allclose(
                b[name], a[name], rtol=0, atol=1e-9 * scale + least, err_msg=name
            )


@pytest.fixture(scope="module")
def single(tmp_path_factory) -> pathlib.Path:
    """Results of one device."""
    path = tmp_path_factory.mktemp("single") / "single.npz"
    _finished(_start(path, 1, 1))
    return path


@pytest.mark.slow  # the two processes below have eight devices, split both ways, too
@pytest.mark.parametrize("num_fsdp", [1, 4], ids=["data", "fsdp"])
def test_eight_devices_compute_what_one_does(single, num_fsdp, tmp_path):
    output = tmp_path / "eight.npz"
    _finished(_start(output, 8, num_fsdp))
    _assert_alike(single, output)
    with np.load(output) as arrays:
        assert arrays["num_devices"] == 8
        assert (arrays["num_split"] > 10) == (num_fsdp > 1)


@pytest.mark.slow
def test_two_processes_compute_what_one_does(single, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    output = tmp_path / "two.npz"
    processes = [_start(output, 4, 2, port, str(i), "2") for i in range(2)]
    for process in processes:
        _finished(process)
    _assert_alike(single, output)
    with np.load(output) as arrays:
        assert arrays["num_devices"] == 8


@pytest.mark.slow
def test_losses_and_variances_agree_in_single_precision(tmp_path):
    """Adam makes large steps of gradients that are nothing but rounding.

    Those of biases before BatchNorm are: they move means, but neither losses nor
    variances.
    """
    outputs = [tmp_path / "one.npz", tmp_path / "eight.npz"]
    for output, num_devices in zip(outputs, (1, 8), strict=True):
        _finished(_start(output, num_devices, 1, x64=False))
    with np.load(outputs[0]) as one, np.load(outputs[1]) as eight:
        names = [n for n in one if n.startswith("[1]") or n.endswith("['var']")]
        assert len(names) > 25
        for name in names:
            assert one[name].dtype == np.float32
            scale = float(np.abs(one[name]).max())
            np.testing.assert_allclose(
                eight[name], one[name], rtol=0, atol=1e-5 * scale, err_msg=name
            )


@pytest.mark.slow  # compiles six programs
def test_eight_devices_train_ciagan_as_one_does(tmp_path):
    outputs = [tmp_path / "one.npz", tmp_path / "eight.npz"]
    processes = [
        _start(outputs[0], 1, 1, system="ciagan"),
        _start(outputs[1], 8, 2, system="ciagan"),
    ]
    for process in processes:
        _finished(process)
    _assert_alike(*outputs)
    with np.load(outputs[1]) as arrays:
        assert arrays["num_devices"] == 8
        assert arrays["num_split"] > 10


@given(
    shape=st.lists(st.integers(1, 300), max_size=4).map(tuple),
    num_fsdp=st.sampled_from([1, 2, 3, 8]),
)
def test_only_an_axis_that_can_be_divided_is(shape, num_fsdp):
    spec = sharding.split_axis(shape, num_fsdp)
    places = [n for n, name in enumerate(spec) if name]
    size = int(np.prod(shape))
    if num_fsdp == 1 or size < sharding.MIN_SIZE:
        assert spec == PartitionSpec()
    elif places:
        (place,) = places
        assert shape[place] % num_fsdp == 0
        able = [length for length in shape if length % num_fsdp == 0]
        assert shape[place] == max(able)
    else:
        assert all(length % num_fsdp for length in shape)


def test_what_cannot_be_divided_is_reported():
    with pytest.raises(ValueError, match=r"num_fsdp is 3, wanted a divisor"):
        sharding.make_mesh(3, jax.devices() * 4)
    mesh = sharding.make_mesh()
    sharding.check_batch_size(5, mesh)

    class Eight:
        size = 8

    with pytest.raises(ValueError, match="batch_size is 12, wanted a multiple"):
        sharding.check_batch_size(12, Eight())
